package invoke

import (
	"errors"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/testkit"
)

func tokens(t *testing.T, event, answer string, width int, color bool) string {
	t.Helper()
	outcome, err := cognito.Apply([]byte(event), []byte(answer))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := WriteTokens(&text, outcome, width, color); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// eventOf is an event of version 2 or 3 with a request.
func eventOf(version, source, request string) string {
	return `{"version":"` + version + `","triggerSource":"` + source + `","region":"eu-west-1","userPoolId":"p","userName":"ada",` +
		`"callerContext":{"clientId":"app"},"request":` + request + `,"response":{}}`
}

const user = `{"userAttributes":{"sub":"1","email":"ada@example.com"},"scopes":["openid"]}`

// answerOf is the event with a response.
func answerOf(event, details string) string {
	return strings.Replace(event, `"response":{}`, `"response":{"claimsAndScopeOverrideDetails":`+details+`}`, 1)
}

// authentication is a sign-in of a user.
var authentication = eventOf("2", "TokenGeneration_Authentication", user)

func TestWriteTokens(t *testing.T) {
	got := tokens(t, authentication, answerOf(authentication, `{
		"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold","sub":"2"},"claimsToSuppress":["email"]},
		"accessTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold","seats":5},"scopesToAdd":["x"]}}`), 80, false)
	want := `TokenGeneration_Authentication, version 2 of the trigger
  claim               ID token                       access token
  sub                 "1"                            "1"
  iss                 "https://cognito-idp.eu-we…    "https://cognito-idp.eu-we…
  cognito:username    "ada"
  aud                 "app"
  token_use           "id"                           "access"
  email             - "ada@example.com"
  plan              + "gold"                       + "gold"
  client_id                                          "app"
  scope                                            ~ "openid x"
  username                                           "ada"
  seats                                            + 5
! error: ID token claim "sub" cannot be set: Cognito lets nobody change it
`
	if got != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
}

func TestWriteTokensOfMachine(t *testing.T) {
	event := eventOf("3", "TokenGeneration_ClientCredentials", `{"scopes":["orders/read"]}`)
	got := tokens(t, event, answerOf(event, `{"accessTokenGeneration":{"claimsToAddOrOverride":{"caller":"machine"}}}`), 80, false)
	for _, want := range []string{"no ID token", `+ "machine"`, "orders/read"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestWriteTokensRefused(t *testing.T) {
	got := tokens(t, authentication, `[]`, 80, false)
	if !strings.Contains(got, "no token: Cognito refuses the answer") || !strings.Contains(got, "\n! error: ") || strings.Contains(got, "claim ") {
		t.Error(got)
	}
}

// TestWriteTokensWidth: whatever claims are called and hold, lines of the table keep to the width and the columns stand below each other.
func TestWriteTokensWidth(t *testing.T) {
	hostile := `{"idTokenGeneration":{"claimsToAddOrOverride":{"` + strings.Repeat("long", 50) + `":"` + strings.Repeat("値", 90) + `","red":"\u001b[31mred\u001b[0m\u009b\r\n"}}}`
	for _, width := range []int{0, 60, 61, 80, 200} {
		for _, color := range []bool{false, true} {
			got := tokens(t, authentication, answerOf(authentication, hostile), width, color)
			plain := ansi.Strip(got)
			if !color && plain != got {
				t.Errorf("escape sequences without color: %q", got)
			}
			if strings.ContainsAny(plain, "\r\x1b\u009b") {
				t.Errorf("the terminal would act on %q", plain)
			}
			lines := strings.Split(plain, "\n")
			before, _, _ := strings.Cut(lines[1], "access token")
			for _, line := range lines[1:] {
				if strings.HasPrefix(line, "!") || line == "" {
					continue
				}
				if ansi.StringWidth(line) > max(width, 60) {
					t.Errorf("width %d: %q has %d columns", width, line, ansi.StringWidth(line))
				}
				start, _, found := strings.Cut(line, `"access"`)
				if found && ansi.StringWidth(start) != ansi.StringWidth(before) {
					t.Errorf("width %d: the columns do not stand below each other:\n%s", width, plain)
				}
			}
		}
	}
	colored := tokens(t, authentication, answerOf(authentication, `{"idTokenGeneration":{"claimsToAddOrOverride":{"plan":"gold"}}}`), 80, true)
	if !strings.Contains(colored, "\x1b[32m+ \"gold\"") {
		t.Errorf("no green in %q", colored)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriteTokensFails(t *testing.T) {
	testkit.ErrorSays(t, WriteTokens(brokenWriter{}, cognito.Outcome{Refused: true}, 80, false), "full")
}

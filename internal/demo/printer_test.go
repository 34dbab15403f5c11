package demo

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/local"
)

func claim(name, value string, mark cognito.Mark) cognito.Claim {
	return cognito.Claim{Name: name, Value: json.RawMessage(value), Mark: mark}
}

// crowded is an outcome with everything that the print can show.
func crowded() cognito.Outcome {
	return cognito.Outcome{
		Version: "2", Source: "TokenGeneration_Authentication",
		IDToken: &cognito.Token{
			Groups: []string{"admins"},
			Claims: []cognito.Claim{
				claim("sub", `"ada"`, cognito.Kept),
				claim("email", `"ada@example.com"`, cognito.Suppressed),
				claim("name", `"名前がとても長いので切り取らなければなりません"`, cognito.Changed),
				claim("https://claims.example.com/with/a/long/name", `5`, cognito.Added),
				claim("bell", "\"\a\u009b\"", cognito.Added),
			},
		},
		AccessToken: &cognito.Token{
			Groups: []string{"admins", "billing"},
			Scopes: []string{"openid", "a-scope-of-a-resource-server/that-is-longer-than-the-line-has-room-for/read", "email"},
			Claims: []cognito.Claim{
				claim("sub", `"ada"`, cognito.Kept),
				claim("scope", `"openid"`, cognito.Changed),
				claim("limits", `{"rows":9007199254740993,"columns":[1,2,3,4]}`, cognito.Added),
			},
		},
		Findings: []cognito.Finding{
			{Severity: cognito.Error, Subject: `access token claim "exp"`, Text: "cannot be set: Cognito lets nobody change it"},
			{Severity: cognito.Warning, Subject: "answer", Text: "is odd"},
		},
	}
}

func TestEvent(t *testing.T) {
	var out strings.Builder
	p := newPrinter(&out, false)
	p.event("authentication", crowded(), local.Result{InitDuration: 2 * time.Millisecond, Duration: 345 * time.Microsecond})
	const want = `
authentication  Authentication                            2.00 ms init + 0.34 ms
    claim                     ID token                  access token
  - email                     "ada@example.com"
  ~ name                      "名前がとても長いので切…
  + https://claims.example.…  5
  + bell                      "��"
  + limits                                              {"rows":900719925474099…
    groups of ID    admins
    of access       admins, billing
  ~ scopes          openid a-scope-of-a-resource-server/that-is-longer-than-the-
                    line-has-room-for/read email
    ID token also   sub
    access also     sub
  ! error           access token claim "exp" cannot be set: Cognito lets nobody
                    change it
  ! warning         answer is odd
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for line := range strings.Lines(out.String()) {
		if columns := ansi.StringWidth(strings.TrimSuffix(line, "\n")); columns > width {
			t.Errorf("%d columns: %s", columns, line)
		}
	}
}

// TestColor wants the same print under the colors.
func TestColor(t *testing.T) {
	var plain, colored strings.Builder
	for out, color := range map[*strings.Builder]bool{&plain: false, &colored: true} {
		p := newPrinter(out, color)
		p.title("x")
		p.serving(5)
		p.event("authentication", crowded(), local.Result{})
		p.summary(Summary{Events: 5}, local.Result{}, nil)
	}
	if plain.String() == colored.String() || strings.Contains(plain.String(), "\x1b") {
		t.Error("color makes no difference")
	}
	if diff := cmp.Diff(plain.String(), ansi.Strip(colored.String())); diff != "" {
		t.Errorf("(-plain +colored):\n%s", diff)
	}
}

func TestSmallEvents(t *testing.T) {
	machine := &cognito.Token{Scopes: []string{"orders/read"}, Claims: []cognito.Claim{claim("sub", `"m"`, cognito.Kept)}}
	tests := map[string]struct {
		outcome cognito.Outcome
		want    string
	}{
		"nothing is changed": {
			outcome: cognito.Outcome{AccessToken: machine},
			want:    "    the trigger changes no claim\n    scopes          orders/read\n    access also     sub\n",
		},
		"a machine": {
			outcome: cognito.Outcome{AccessToken: &cognito.Token{Claims: []cognito.Claim{claim("caller_type", `"machine"`, cognito.Added)}}},
			want: "    claim           no ID token                    access token\n" +
				"  + caller_type                                    \"machine\"\n",
		},
		"a refused answer": {
			outcome: cognito.Outcome{Refused: true, Findings: []cognito.Finding{{Severity: cognito.Error, Subject: "answer", Text: "is not JSON"}}},
			want:    "    no token: Cognito refuses the answer, and the sign-in fails\n  ! error           answer is not JSON\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			newPrinter(&out, false).event("event", test.outcome, local.Result{})
			_, got, _ := strings.Cut(strings.TrimPrefix(out.String(), "\n"), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestOwnClaimsOnce says Cognito's own claims again only if they differ from those of the event before.
func TestOwnClaimsOnce(t *testing.T) {
	token := func(name string) cognito.Outcome {
		return cognito.Outcome{AccessToken: &cognito.Token{Claims: []cognito.Claim{claim(name, `1`, cognito.Kept)}}}
	}
	var out strings.Builder
	p := newPrinter(&out, false)
	for _, name := range []string{"iss", "iss", "sub"} {
		p.event("event", token(name), local.Result{})
	}
	if got := strings.Count(out.String(), "access also"); got != 2 {
		t.Errorf("said %d times, want 2:\n%s", got, &out)
	}
}

func TestSummary(t *testing.T) {
	tests := map[string]struct {
		summary Summary
		later   []time.Duration
		want    string
	}{
		"good": {
			summary: Summary{Events: 5}, later: []time.Duration{3e6, 1e6, 2e6},
			want: "\n5 answers, all as Cognito wants them\nfirst answer 1.00 ms after 4.00 ms of init, later ones 2.00 ms in the median\n",
		},
		"bad": {
			summary: Summary{Events: 1, Errors: 2, Warnings: 3},
			want:    "\n1 answers with 2 errors and 3 warnings\nfirst answer 1.00 ms after 4.00 ms of init, later ones 0.00 ms in the median\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			newPrinter(&out, false).summary(test.summary, local.Result{Duration: 1e6, InitDuration: 4e6}, test.later)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

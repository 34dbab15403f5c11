//go:build unix

package wizard_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/testkit"
	"github.com/golam-cli/golam/internal/wizard"
)

// defaults are the answers of somebody who changes nothing but what is given.
func defaults(t *testing.T, changed generator.Answers) generator.Answers {
	t.Helper()
	spec, err := kinds.All().Resolve(changed)
	if err != nil {
		t.Fatal(err)
	}
	return spec.Answers()
}

func check(t *testing.T, got, want generator.Answers) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	for _, size := range []struct{ columns, lines int }{{80, 24}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size.columns, size.lines), func(t *testing.T) {
			t.Parallel()
			w := start(t, size.columns, size.lines, asked{Dir: "some/demo"})
			titles := wizard.Pages(nil)
			page := func(title string) string {
				return fmt.Sprintf("golam new: %s %d of %d", title, slices.Index(append(titles, "Summary"), title)+1, len(titles)+1)
			}
			// Nothing is cut: every word of every question is on the screen.
			for _, option := range wizard.Questions(nil) {
				w.asks(option.Question)
				texts := []string{page(option.Page), option.Question, option.Help, "enter next", "esc back · ctrl+c stop"}
				if option.Key == "name" {
					texts[len(texts)-1] = "esc stop"
				}
				for _, choice := range option.Choices {
					texts = append(texts, wizard.Shown(choice))
				}
				w.shows(texts...)
				w.Types(enter)
			}
			w.asks("Make it?")
			w.shows(page("Summary"), "golam new demo --yes", "files in demo", "esc back · ctrl+c stop")
			w.Types(enter)
			check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo"}))
		})
	}
}

func TestEveryAnswerChanged(t *testing.T) {
	t.Parallel()
	changed := generator.Answers{"name": "tokens", "module": "github.com/you/tokens", "claims": "team=custom:group,email=email"}
	w := start(t, 80, 24, asked{Dir: "demo"})
	for _, option := range wizard.Questions(nil) {
		w.asks(option.Question)
		switch option.Key {
		case "name":
			w.Types(clear, "tokens")
			w.Sees("> example.com/tokens")
			w.Types(tab)
		case "module":
			w.Types(clear, "github.com/you/tokens", enter)
		case "claims":
			w.Types(up, up, clear, "team", enter)
			w.Types(clear, "custom:group", enter)
			w.Sees("> plan")
			w.Types(remove)
			w.Sees("> add a claim")
			w.Types("email=", enter)
			w.Sees("email", "> add a claim")
			w.Types(enter)
		default:
			if option.Form != generator.Choose {
				t.Fatalf("this test has no answer for --%s", option.Key)
			}
			changed[option.Key] = wizard.Another(option)
			w.chooses(option, changed[option.Key])
		}
	}
	w.asks("Make it?")
	w.shows("golam new tokens", "team=custom:group,email=email")
	for key, value := range changed {
		switch value {
		case "tokens": // the name needs no flag
		case "true":
			w.shows("--" + key)
		default:
			w.shows("--" + key + " " + value)
		}
	}
	w.Types(enter)
	answers := w.ends(0)
	check(t, answers, defaults(t, changed))
	unchanged := defaults(t, generator.Answers{"name": "demo"})
	for _, option := range wizard.Questions(nil) {
		if answers[option.Key] == unchanged[option.Key] {
			t.Errorf("--%s is not changed", option.Key)
		}
	}
}

func TestBadNameIsCorrected(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{})
	w.asks("What is the project called?")
	w.Types(enter)
	w.Sees("* a name is needed")
	w.Types("My Demo", enter)
	w.Sees(`* "My Demo" is not a name: use lower case letters`)
	w.Types(clear)
	w.Until("the problem going away", func(screen string) bool { return !strings.Contains(screen, "is not a name") })
	w.Types("demo", enter)
	w.asks("What is its Go module path?")
	w.Types(clear, "-", enter)
	w.Sees("is not a module path")
	w.Types(clear, "example.com/other", enter)
	w.asks("Which version of Cognito")
	w.walks("trigger", wizard.Last)
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo", "module": "example.com/other"}))
}

func TestForbiddenClaimIsCorrected(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types(enter, enter, enter)
	w.asks("Which claims")
	w.Types("sub", enter)
	w.Sees(`* claim "sub" is set by Cognito`)
	w.Types(clear, "department", enter)
	w.Sees("> department", "custom:department")
	w.Types("dept", enter)
	w.Sees(`* attribute "dept" is not a standard attribute: did you mean custom:dept?`)
	w.Types(up)
	w.Sees(`* attribute "dept" is not a standard attribute`)
	w.Types(clear, enter)
	w.Sees("> add a claim")
	w.Types("plan", enter, enter)
	w.Sees(`* claim "plan" is given twice`)
	w.Types(remove)
	w.Sees("> add a claim")
	w.walks("claims", wizard.Last)
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{
		"name": "demo", "claims": "tenant_id=custom:tenant_id,plan=custom:plan,department=custom:department",
	}))
}

func TestBackAndForth(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types(back, clear, "first", enter)
	w.asks("What is its Go module path?")
	w.Types(clear, "not a path")
	w.Sees("> not a path")
	w.Types(back) // although the path is wrong
	w.asks("What is the project called?")
	w.Types(enter)
	w.asks("What is its Go module path?")
	w.Types(enter)
	w.Sees("* ", "is not a module path")
	w.Types(clear, "example.com/mine", enter)
	w.asks("Which version of Cognito")
	w.Types(down, enter)
	w.asks("Which claims")
	w.Types("sub")
	w.Sees("> sub")
	w.Types(back)
	w.asks("Which version of Cognito")
	w.Sees("> v1", "    sub")
	w.Types(back)
	w.asks("What is its Go module path?")
	w.Sees("> example.com/mine")
	w.Types(back)
	w.asks("What is the project called?")
	w.Types(clear, "second")
	w.Sees("> second", "> example.com/mine")
	w.Types(enter, enter, enter)
	w.asks("Which claims")
	w.Sees("sub")
	w.Types(enter)
	w.Sees(`* claim "sub" is set by Cognito`)
	w.Types(remove)
	w.walks("claims", wizard.Last)
	w.Types(down, enter)
	w.asks("What is the project called?")
	w.Sees("> second", "> example.com/mine")
	w.Types(enter, enter)
	w.asks("Which version of Cognito")
	w.Sees("> v1")
	w.walks("trigger", wizard.Last)
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "second", "module": "example.com/mine", "trigger": "v1"}))
}

func TestStopOnEveryPage(t *testing.T) {
	for name, stop := range map[string]func(*terminal){
		"ctrl-c":  func(w *terminal) { w.Types(ctrlC) },
		"escape":  func(w *terminal) { w.Types(escape) },
		"SIGTERM": func(w *terminal) { w.Signal(syscall.SIGTERM) },
		"SIGINT":  func(w *terminal) { w.Signal(syscall.SIGINT) },
	} {
		for number, title := range append(wizard.Pages(nil), "Summary") {
			if name == "escape" && number > 0 {
				break // it goes back: TestEscapeGoesBack
			}
			t.Run(fmt.Sprintf("%s on page %d", name, number+1), func(t *testing.T) {
				if number != 1 || name == "SIGINT" {
					testkit.Slow(t)
				}
				t.Parallel()
				first := wizard.Last // of the page
				for _, option := range slices.Backward(wizard.Questions(nil)) {
					if option.Page == title {
						first = option.Key
					}
				}
				w := start(t, 80, 24, asked{Dir: "demo"})
				w.asks("What is the project called?")
				if number > 0 {
					w.walks("name", first)
				}
				w.Sees("golam new: " + title)
				stop(w)
				w.ends(130)
			})
		}
	}
}

// Escape throws away no answer: it goes back field by field, and asks before it ends the wizard.
func TestEscapeGoesBack(t *testing.T) {
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types("2")
	w.Sees("> demo2")
	w.walks("name", wizard.Last)
	questions := wizard.Questions(nil)
	for _, option := range slices.Backward(questions) {
		w.Types(escape)
		w.asks(option.Question)
	}
	w.Types(escape)
	w.Sees("* esc again stops, and nothing is made")
	w.Types("0", escape) // it was another key
	w.Sees("> demo20", "* esc again stops, and nothing is made")
	w.walks("name", wizard.Last)
	w.Types(escape)
	w.asks(questions[len(questions)-1].Question)
	w.Types(enter)
	w.asks("Make it?")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo20"}))
}

func TestEscapeTwiceStops(t *testing.T) {
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types(enter)
	w.asks("What is its Go module path?")
	w.Types(escape)
	w.asks("What is the project called?")
	w.Types(escape)
	w.Sees("esc again stops")
	w.Types(escape)
	w.ends(130)
}

// The cell of an attribute says what belongs there.
func TestAttributeHasPrompt(t *testing.T) {
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.walks("name", "claims")
	w.shows("copied from attribute")
	w.Types("team", enter)
	w.Sees("enter takes custom:team")
	w.Types(escape)
	w.Until("back at the claim", func(screen string) bool { return !strings.Contains(screen, "enter takes") })
	w.Types(clear, "a_claim_whose_name_is_too_long", enter)
	w.Sees("a user attribute, such as custom:plan")
	w.Types(ctrlC)
	w.ends(130)
}

func TestStopOnTheLastPage(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.walks("name", wizard.Last)
	w.Types(up) // past the first choice to the last
	w.Sees("> Stop, and make nothing")
	w.Types(enter)
	w.ends(130)
}

func TestResize(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types(clear, "changed")
	w.Sees("> changed")
	w.Resize(44, 12)
	w.Sees("┃ The folder, the stack and the")
	w.Types(enter)
	w.asks("What is its Go module path?")
	w.Resize(120, 40)
	w.Sees("┃ The path for imports, such as github.com/you/project. It doesn't have to exist yet.")
	w.Types(enter)
	w.asks("Which version of Cognito")
	w.Resize(30, 10)
	w.Sees("┃ V1 works on every plan")
	w.Types(down, down)
	w.Sees("> v3")
	w.Types(enter)
	w.asks("Which claims")
	w.walks("claims", "ci")
	w.Resize(80, 24)
	w.shows("Which CI runs its checks?", "GitHub Actions, with actions pinned by commit, and Dependabot")
	w.walks("ci", wizard.Last)
	w.Resize(60, 20)
	w.Sees("┃ Make it?", "pgup/pgdown scroll")
	w.Types(strings.Repeat(pageDown, 20))
	w.Sees("┃ Make it?", "scripts/", "attach.sh")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "changed", "trigger": "v3"}))
}

func TestGivenAnswersAreShownAndNotAsked(t *testing.T) {
	t.Parallel()
	given := generator.Answers{"module": "example.com/mine", "trigger": "v1", "claims": "plan=custom:plan"}
	for _, option := range kinds.All().Options() {
		if _, known := given[option.Key]; !known && option.Key != "name" && option.Key != "ci" {
			given[option.Key] = wizard.Another(option)
		}
	}
	flags := func(page string) string { // those of the page that are given
		var words []string
		for _, option := range kinds.All().Options() {
			value, known := given[option.Key]
			switch {
			case !known || page != "" && page != option.Page:
			case value == "true":
				words = append(words, "--"+option.Key)
			default:
				words = append(words, "--"+option.Key+" "+value)
			}
		}
		return "given: " + strings.Join(words, " ")
	}
	w := start(t, 80, 24, asked{Dir: "demo", Given: given})
	screen := w.asks("What is the project called?")
	if strings.Contains(screen, "Go module path") {
		t.Errorf("the module is asked for:\n%s", screen)
	}
	w.Sees("given: --module example.com/mine", "1 of 3")
	w.Types(clear, "other", enter)
	w.asks("Which CI runs its checks?")
	w.shows("2 of 3", flags("Deployment"))
	w.Types(enter)
	w.asks("Make it?")
	w.shows("given: --module example.com/mine --kind cognito-token --trigger v1 --claims plan=custom:plan", flags(""))
	w.Types(enter)
	want := maps.Clone(given)
	want["name"] = "other"
	check(t, w.ends(0), defaults(t, want))
}

func TestEverythingGiven(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	given := defaults(t, generator.Answers{"name": "demo"})
	w := start(t, 80, 24, asked{Given: given})
	screen := w.asks("Make it?")
	if strings.Contains(screen, "Go back") {
		t.Errorf("there is nothing to go back to:\n%s", screen)
	}
	w.Types(back, enter)
	check(t, w.ends(0), given)
}

func TestRefusedProjectIsCorrected(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo", Taken: "demo"})
	w.asks("What is the project called?")
	w.walks("name", wizard.Last)
	w.Sees("demo is not empty: choose another folder")
	w.Types(enter)
	w.Sees("* nothing can be made of these answers")
	w.Types(down, enter)
	w.asks("What is the project called?")
	w.Types("2")
	w.walks("name", wizard.Last)
	w.Sees("files in demo2")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo2"}))
}

// colors are the escape sequences that set one.
var colors = regexp.MustCompile(`\x1b\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m`)

func TestColor(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%t", plain), func(t *testing.T) {
			t.Parallel()
			w := start(t, 80, 24, asked{Dir: "Demo", Plain: plain})
			w.asks("What is the project called?")
			w.Types(enter)
			w.Sees("is not a name")
			w.Types(clear, "demo")
			w.Sees("example.com/demo")
			w.walks("name", wizard.Last)
			w.Types(enter)
			w.ends(0)
			if found := colors.FindString(w.Output()); (found == "") != plain {
				t.Errorf("the first color is %q", found)
			}
		})
	}
}

func TestAccessible(t *testing.T) {
	t.Parallel()
	type step struct{ prompt, line string }
	steps := []step{
		{"name:", "Demo"},
		{`* "Demo" is not a name`, "taken"},
		{"module [example.com/taken]:", ""},
		{"number or name [v2]:", "v4"},
		{`* unknown choice "v4"`, "3"},
		{"2. plan, copied from custom:plan", "sub=email"},
		{`* claim "sub" is set by Cognito`, "team=custom:team,plan=custom:tier"},
		{"3. team, copied from custom:team", "1"},
		{"2. team, copied from custom:team", ""},
	}
	again := []step{
		{"* taken is not empty: choose another folder", "yes"},
		{"* write one of the words", ""},
		{"name [taken]:", "demo"},
		{"module [example.com/demo]:", ""},
		{"number or name [v3]:", ""},
		{"1. plan, copied from custom:tier", ""},
	}
	want := generator.Answers{"name": "demo", "trigger": "v3", "claims": "plan=custom:tier,team=custom:team"}
	for i, option := range wizard.After("claims") {
		want[option.Key] = wizard.Another(option)
		word := wizard.Word(want[option.Key])
		typed := []string{word, strconv.Itoa(len(option.Choices))}[i%2] // names and numbers in turn
		steps = append(steps, step{"number or name [" + wizard.Word(option.Default) + "]:", typed})
		again = append(again, step{"number or name [" + word + "]:", ""})
	}
	steps = append(append(steps, again...), step{"yes, no, back [yes]:", "YES"})

	w := start(t, 80, 24, asked{Accessible: true, Taken: "taken"})
	for _, step := range steps {
		w.reads(step.prompt, ":")
		w.Types(step.line, enter)
	}
	check(t, w.ends(0), defaults(t, want))
	if i := strings.IndexByte(w.Output(), '\x1b'); i >= 0 {
		t.Errorf("an escape sequence: %q", w.Output()[i:])
	}
	for line := range strings.Lines(w.Output()) {
		if width := len([]rune(strings.TrimRight(line, "\r\n"))); width > 79 && !strings.Contains(line, "golam new") {
			t.Errorf("%d columns: %s", width, line)
		}
	}
}

// reads waits until the wizard wrote a text after what was read before, and then a prompt.
func (w *terminal) reads(text, prompt string) {
	w.t.Helper()
	output := w.UntilOutput(fmt.Sprintf("reading %q", text), func(output string) bool {
		_, rest, found := strings.Cut(output[w.read:], text)
		if strings.HasSuffix(text, prompt) {
			rest = prompt + rest
		}
		return found && strings.HasSuffix(rest, prompt+" ")
	})
	w.read = len(output)
}

func TestAccessibleStops(t *testing.T) {
	for name, stop := range map[string]func(*terminal){
		"end of input":              func(w *terminal) { w.Types(ctrlD) },
		"end of input, half a line": func(w *terminal) { w.Types("example.com/half", ctrlD, ctrlD) },
		"ctrl-c":                    func(w *terminal) { w.Types(ctrlC) },
		"SIGTERM":                   func(w *terminal) { w.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, 80, 24, asked{Accessible: true})
			w.reads("name:", ":")
			w.Types("demo", enter)
			w.reads("module [example.com/demo]:", ":")
			stop(w)
			w.ends(130)
		})
	}
}

func TestTerminalWithoutSizeIsAskedInLines(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := start(t, 0, 0, asked{})
	w.reads("name:", ":")
	w.Types(ctrlD)
	w.ends(130)
}

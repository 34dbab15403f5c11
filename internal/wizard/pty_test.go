//go:build unix

package wizard_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
)

// defaults are the answers of somebody who changes nothing but what is given.
func defaults(t *testing.T, changed generator.Answers) generator.Answers {
	t.Helper()
	spec, err := generator.Resolve(changed)
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

// slow skips a test where time is short: the same is proved there by others, less closely.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
}

// pages are what has the focus first on every page, and the keys that lead on from there with the defaults.
var pages = []struct{ question, keys string }{
	{"What is the project called?", enter + enter},
	{"Which version of Cognito", enter + enter},
	{"Which processor", enter + enter},
	{"Make it?", enter},
}

func TestDefaults(t *testing.T) {
	for _, size := range []struct{ columns, lines int }{{80, 24}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size.columns, size.lines), func(t *testing.T) {
			t.Parallel()
			w := start(t, size.columns, size.lines, asked{Dir: "some/demo"})
			shown := ""
			for _, page := range pages {
				shown += w.asks(page.question)
				w.Types(page.keys)
			}
			check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo"}))

			// Nothing is cut: every word of every question is on the screen.
			words := strings.Join(strings.Fields(strings.ReplaceAll(shown, "┃", "")), " ")
			for _, option := range generator.Options() {
				if option.Kind == generator.Choose && len(option.Choices) == 1 {
					continue
				}
				texts := []string{option.Question, option.Help}
				for _, choice := range option.Choices {
					texts = append(texts, choice.Value+" "+choice.Help)
				}
				for _, text := range texts {
					if !strings.Contains(words, text) {
						t.Errorf("%q is cut:\n%s", text, shown)
					}
				}
			}
			for _, text := range []string{"esc stop", "golam new demo --yes", "files in demo", "1 of 4", "4 of 4"} {
				if !strings.Contains(words, text) {
					t.Errorf("%q is cut:\n%s", text, shown)
				}
			}
		})
	}
}

func TestEveryAnswerChanged(t *testing.T) {
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types(clear, "tokens")
	w.Sees("> example.com/tokens")
	w.Types(tab)
	w.asks("What is its Go module path?")
	w.Types(clear, "github.com/you/tokens", enter)
	w.asks("Which version of Cognito")
	w.Types(down, down)
	w.Sees("> v3")
	w.Types(enter)
	w.asks("Which claims")
	w.Types(up, up, clear, "team", enter)
	w.Types(clear, "custom:group", enter)
	w.Sees("> plan")
	w.Types(remove)
	w.Sees("> add a claim")
	w.Types("email=", enter)
	w.Sees("email", "> add a claim")
	w.Types(enter)
	w.asks("Which processor")
	w.Types(down, enter)
	w.asks("Where do its checks run?")
	w.Types(down, enter)
	w.asks("Make it?")
	w.Sees("golam new tokens", "team=custom:group,email=email")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{
		"name": "tokens", "module": "github.com/you/tokens", "trigger": "v3", "claims": "team=custom:group,email=email",
		"arch": "x86_64", "ci": "none",
	}))
}

func TestBadNameIsCorrected(t *testing.T) {
	slow(t)
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
	w.Types(enter, enter, enter, enter)
	w.asks("Make it?")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo", "module": "example.com/other"}))
}

func TestForbiddenClaimIsCorrected(t *testing.T) {
	slow(t)
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
	w.Types(enter)
	w.asks("Which processor")
	w.Types(enter, enter)
	w.asks("Make it?")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{
		"name": "demo", "claims": "tenant_id=custom:tenant_id,plan=custom:plan,department=custom:department",
	}))
}

func TestBackAndForth(t *testing.T) {
	slow(t)
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
	w.Types(remove, enter)
	w.asks("Which processor")
	w.Types(enter, enter)
	w.asks("Make it?")
	w.Types(down, enter)
	w.asks("What is the project called?")
	w.Sees("> second", "> example.com/mine")
	w.Types(enter, enter)
	w.asks("Which version of Cognito")
	w.Sees("> v1")
	w.Types(enter, enter, enter, enter)
	w.asks("Make it?")
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
		for last := range pages {
			t.Run(fmt.Sprintf("%s on page %d", name, last+1), func(t *testing.T) {
				if last != 1 || name == "SIGINT" {
					slow(t)
				}
				t.Parallel()
				w := start(t, 80, 24, asked{Dir: "demo"})
				for i, page := range pages[:last+1] {
					w.asks(page.question)
					if i < last {
						w.Types(page.keys)
					}
				}
				stop(w)
				w.ends(130)
			})
		}
	}
}

func TestStopOnTheLastPage(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	for _, page := range pages[:3] {
		w.asks(page.question)
		w.Types(page.keys)
	}
	w.asks("Make it?")
	w.Types(up) // past the first choice to the last
	w.Sees("> Stop, and make nothing")
	w.Types(enter)
	w.ends(130)
}

func TestResize(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.Types(clear, "changed")
	w.Sees("> changed")
	w.Resize(44, 12)
	w.Sees("┃ Names the folder, the stack and the\n")
	w.Types(enter)
	w.asks("What is its Go module path?")
	w.Resize(120, 40)
	w.Sees("┃ Where others would import it from, such as github.com/you/project. It need not exist yet.")
	w.Types(enter)
	w.asks("Which version of Cognito")
	w.Resize(30, 10)
	w.Sees("┃ V1 works on the Lite plan")
	w.Types(down, down)
	w.Sees("> v3")
	w.Types(enter)
	w.asks("Which claims")
	w.Types(enter)
	w.asks("Which processor")
	w.Resize(80, 24)
	w.Sees("Where do its checks run?")
	w.Types(enter, enter)
	w.asks("Make it?")
	w.Resize(60, 20)
	w.Sees("┃ Make it?", "pgup/pgdown scroll")
	w.Types(pageDown, pageDown, pageDown, pageDown, pageDown)
	w.Sees("┃ Make it?", "scripts/", "attach.sh")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "changed", "trigger": "v3"}))
}

func TestGivenAnswersAreShownAndNotAsked(t *testing.T) {
	t.Parallel()
	given := generator.Answers{"module": "example.com/mine", "trigger": "v1", "claims": "plan=custom:plan", "arch": "x86_64"}
	w := start(t, 80, 24, asked{Dir: "demo", Given: given})
	screen := w.asks("What is the project called?")
	if strings.Contains(screen, "Go module path") {
		t.Errorf("the module is asked for:\n%s", screen)
	}
	w.Sees("given: --module example.com/mine", "1 of 3")
	w.Types(clear, "other", enter)
	w.asks("Where do its checks run?")
	w.Sees("given: --arch x86_64", "2 of 3")
	w.Types(enter)
	w.asks("Make it?")
	w.Sees("given: --module example.com/mine --trigger v1 --claims plan=custom:plan")
	w.Types(enter)
	want := maps.Clone(given)
	want["name"] = "other"
	check(t, w.ends(0), defaults(t, want))
}

func TestEverythingGiven(t *testing.T) {
	slow(t)
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
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo", Taken: "demo"})
	for _, page := range pages[:3] {
		w.asks(page.question)
		w.Types(page.keys)
	}
	w.asks("Make it?")
	w.Sees("demo is not empty: choose another folder")
	w.Types(enter)
	w.Sees("* nothing can be made of these answers")
	w.Types(down, enter)
	w.asks("What is the project called?")
	w.Types("2", enter, enter, enter, enter, enter, enter)
	w.asks("Make it?")
	w.Sees("files in demo2")
	w.Types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo2"}))
}

// colours are the escape sequences that set one.
var colours = regexp.MustCompile(`\x1b\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m`)

func TestColour(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%t", plain), func(t *testing.T) {
			t.Parallel()
			w := start(t, 80, 24, asked{Dir: "Demo", Plain: plain})
			w.asks("What is the project called?")
			w.Types(enter)
			w.Sees("is not a name")
			w.Types(clear, "demo")
			w.Sees("example.com/demo")
			w.Types(enter, enter, enter, enter, enter, enter)
			w.asks("Make it?")
			w.Types(enter)
			w.ends(0)
			if found := colours.FindString(w.Output()); (found == "") != plain {
				t.Errorf("the first colour is %q", found)
			}
		})
	}
}

func TestAccessible(t *testing.T) {
	t.Parallel()
	w := start(t, 80, 24, asked{Accessible: true, Taken: "taken"})
	for _, step := range []struct{ prompt, line string }{
		{"name:", "Demo"},
		{`* "Demo" is not a name`, "taken"},
		{"module [example.com/taken]:", ""},
		{"number or name [v2]:", "v4"},
		{`* unknown choice "v4"`, "3"},
		{"2. plan, copied from custom:plan", "sub=email"},
		{`* claim "sub" is set by Cognito`, "team=custom:team,plan=custom:tier"},
		{"3. team, copied from custom:team", "1"},
		{"2. team, copied from custom:team", ""},
		{"number or name [arm64]:", "x86_64"},
		{"number or name [github]:", "2"},
		{"* taken is not empty: choose another folder", "yes"},
		{"* write one of the words", ""},
		{"name [taken]:", "demo"},
		{"module [example.com/demo]:", ""},
		{"number or name [v3]:", ""},
		{"1. plan, copied from custom:tier", ""},
		{"number or name [x86_64]:", ""},
		{"number or name [none]:", ""},
		{"yes, no, back [yes]:", "YES"},
	} {
		w.reads(step.prompt, ":")
		w.Types(step.line, enter)
	}
	check(t, w.ends(0), defaults(t, generator.Answers{
		"name": "demo", "trigger": "v3", "claims": "plan=custom:tier,team=custom:team", "arch": "x86_64", "ci": "none",
	}))
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
	slow(t)
	t.Parallel()
	w := start(t, 0, 0, asked{})
	w.reads("name:", ":")
	w.Types(ctrlD)
	w.ends(130)
}

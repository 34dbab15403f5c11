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
				w.types(page.keys)
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
	w.types(clear, "tokens")
	w.sees("> example.com/tokens")
	w.types(tab)
	w.asks("What is its Go module path?")
	w.types(clear, "github.com/you/tokens", enter)
	w.asks("Which version of Cognito")
	w.types(down, down)
	w.sees("> v3")
	w.types(enter)
	w.asks("Which claims")
	w.types(up, up, clear, "team", enter)
	w.types(clear, "custom:group", enter)
	w.sees("> plan")
	w.types(remove)
	w.sees("> add a claim")
	w.types("email=", enter)
	w.sees("email", "> add a claim")
	w.types(enter)
	w.asks("Which processor")
	w.types(down, enter)
	w.asks("Where do its checks run?")
	w.types(down, enter)
	w.asks("Make it?")
	w.sees("golam new tokens", "team=custom:group,email=email")
	w.types(enter)
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
	w.types(enter)
	w.sees("* a name is needed")
	w.types("My Demo", enter)
	w.sees(`* "My Demo" is not a name: use lower case letters`)
	w.types(clear)
	w.until("the problem going away", func(screen string) bool { return !strings.Contains(screen, "is not a name") })
	w.types("demo", enter)
	w.asks("What is its Go module path?")
	w.types(clear, "-", enter)
	w.sees("is not a module path")
	w.types(clear, "example.com/other", enter)
	w.asks("Which version of Cognito")
	w.types(enter, enter, enter, enter)
	w.asks("Make it?")
	w.types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "demo", "module": "example.com/other"}))
}

func TestForbiddenClaimIsCorrected(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.types(enter, enter, enter)
	w.asks("Which claims")
	w.types("sub", enter)
	w.sees(`* claim "sub" is set by Cognito`)
	w.types(clear, "department", enter)
	w.sees("> department", "custom:department")
	w.types("dept", enter)
	w.sees(`* attribute "dept" is not a standard attribute: did you mean custom:dept?`)
	w.types(up)
	w.sees(`* attribute "dept" is not a standard attribute`)
	w.types(clear, enter)
	w.sees("> add a claim")
	w.types("plan", enter, enter)
	w.sees(`* claim "plan" is given twice`)
	w.types(remove)
	w.sees("> add a claim")
	w.types(enter)
	w.asks("Which processor")
	w.types(enter, enter)
	w.asks("Make it?")
	w.types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{
		"name": "demo", "claims": "tenant_id=custom:tenant_id,plan=custom:plan,department=custom:department",
	}))
}

func TestBackAndForth(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.types(back, clear, "first", enter)
	w.asks("What is its Go module path?")
	w.types(clear, "not a path")
	w.sees("> not a path")
	w.types(back) // although the path is wrong
	w.asks("What is the project called?")
	w.types(enter)
	w.asks("What is its Go module path?")
	w.types(enter)
	w.sees("* ", "is not a module path")
	w.types(clear, "example.com/mine", enter)
	w.asks("Which version of Cognito")
	w.types(down, enter)
	w.asks("Which claims")
	w.types("sub")
	w.sees("> sub")
	w.types(back)
	w.asks("Which version of Cognito")
	w.sees("> v1", "    sub")
	w.types(back)
	w.asks("What is its Go module path?")
	w.sees("> example.com/mine")
	w.types(back)
	w.asks("What is the project called?")
	w.types(clear, "second")
	w.sees("> second", "> example.com/mine")
	w.types(enter, enter, enter)
	w.asks("Which claims")
	w.sees("sub")
	w.types(enter)
	w.sees(`* claim "sub" is set by Cognito`)
	w.types(remove, enter)
	w.asks("Which processor")
	w.types(enter, enter)
	w.asks("Make it?")
	w.types(down, enter)
	w.asks("What is the project called?")
	w.sees("> second", "> example.com/mine")
	w.types(enter, enter)
	w.asks("Which version of Cognito")
	w.sees("> v1")
	w.types(enter, enter, enter, enter)
	w.asks("Make it?")
	w.types(enter)
	check(t, w.ends(0), defaults(t, generator.Answers{"name": "second", "module": "example.com/mine", "trigger": "v1"}))
}

func TestStopOnEveryPage(t *testing.T) {
	for name, stop := range map[string]func(*terminal){
		"ctrl-c":  func(w *terminal) { w.types(ctrlC) },
		"escape":  func(w *terminal) { w.types(escape) },
		"SIGTERM": func(w *terminal) { w.signal(syscall.SIGTERM) },
		"SIGINT":  func(w *terminal) { w.signal(syscall.SIGINT) },
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
						w.types(page.keys)
					}
				}
				stop(w)
				w.ends(130)
			})
		}
	}
}

func (w *terminal) signal(s syscall.Signal) {
	w.t.Helper()
	if err := w.command.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}

func TestStopOnTheLastPage(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	for _, page := range pages[:3] {
		w.asks(page.question)
		w.types(page.keys)
	}
	w.asks("Make it?")
	w.types(up) // past the first choice to the last
	w.sees("> Stop, and make nothing")
	w.types(enter)
	w.ends(130)
}

func TestResize(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo"})
	w.asks("What is the project called?")
	w.types(clear, "changed")
	w.sees("> changed")
	w.resize(44, 12)
	w.sees("┃ Names the folder, the stack and the\n")
	w.types(enter)
	w.asks("What is its Go module path?")
	w.resize(120, 40)
	w.sees("┃ Where others would import it from, such as github.com/you/project. It need not exist yet.")
	w.types(enter)
	w.asks("Which version of Cognito")
	w.resize(30, 10)
	w.sees("┃ V1 works on the Lite plan")
	w.types(down, down)
	w.sees("> v3")
	w.types(enter)
	w.asks("Which claims")
	w.types(enter)
	w.asks("Which processor")
	w.resize(80, 24)
	w.sees("Where do its checks run?")
	w.types(enter, enter)
	w.asks("Make it?")
	w.resize(60, 20)
	w.sees("┃ Make it?", "pgup/pgdown scroll")
	w.types(pageDown, pageDown, pageDown, pageDown, pageDown)
	w.sees("┃ Make it?", "scripts/", "attach.sh")
	w.types(enter)
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
	w.sees("given: --module example.com/mine", "1 of 3")
	w.types(clear, "other", enter)
	w.asks("Where do its checks run?")
	w.sees("given: --arch x86_64", "2 of 3")
	w.types(enter)
	w.asks("Make it?")
	w.sees("given: --module example.com/mine --trigger v1 --claims plan=custom:plan")
	w.types(enter)
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
	w.types(back, enter)
	check(t, w.ends(0), given)
}

func TestRefusedProjectIsCorrected(t *testing.T) {
	slow(t)
	t.Parallel()
	w := start(t, 80, 24, asked{Dir: "demo", Taken: "demo"})
	for _, page := range pages[:3] {
		w.asks(page.question)
		w.types(page.keys)
	}
	w.asks("Make it?")
	w.sees("demo is not empty: choose another folder")
	w.types(enter)
	w.sees("* nothing can be made of these answers")
	w.types(down, enter)
	w.asks("What is the project called?")
	w.types("2", enter, enter, enter, enter, enter, enter)
	w.asks("Make it?")
	w.sees("files in demo2")
	w.types(enter)
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
			w.types(enter)
			w.sees("is not a name")
			w.types(clear, "demo")
			w.sees("example.com/demo")
			w.types(enter, enter, enter, enter, enter, enter)
			w.asks("Make it?")
			w.types(enter)
			w.ends(0)
			if found := colours.FindString(w.output()); (found == "") != plain {
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
		w.types(step.line, enter)
	}
	check(t, w.ends(0), defaults(t, generator.Answers{
		"name": "demo", "trigger": "v3", "claims": "plan=custom:tier,team=custom:team", "arch": "x86_64", "ci": "none",
	}))
	if i := strings.IndexByte(w.output(), '\x1b'); i >= 0 {
		t.Errorf("an escape sequence: %q", w.output()[i:])
	}
	for line := range strings.Lines(w.output()) {
		if width := len([]rune(strings.TrimRight(line, "\r\n"))); width > 79 && !strings.Contains(line, "golam new") {
			t.Errorf("%d columns: %s", width, line)
		}
	}
}

// reads waits until the wizard wrote a text after what was read before, and then a prompt.
func (w *terminal) reads(text, prompt string) {
	w.t.Helper()
	w.until(fmt.Sprintf("reading %q", text), func(string) bool {
		_, rest, found := strings.Cut(w.written.String()[w.read:], text)
		if strings.HasSuffix(text, prompt) {
			rest = prompt + rest
		}
		if !found || !strings.HasSuffix(rest, prompt+" ") {
			return false
		}
		w.read = w.written.Len()
		return true
	})
}

func TestAccessibleStops(t *testing.T) {
	for name, stop := range map[string]func(*terminal){
		"end of input":              func(w *terminal) { w.types(ctrlD) },
		"end of input, half a line": func(w *terminal) { w.types("example.com/half", ctrlD, ctrlD) },
		"ctrl-c":                    func(w *terminal) { w.types(ctrlC) },
		"SIGTERM":                   func(w *terminal) { w.signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, 80, 24, asked{Accessible: true})
			w.reads("name:", ":")
			w.types("demo", enter)
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
	w.types(ctrlD)
	w.ends(130)
}

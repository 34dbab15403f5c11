package wizard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/generator/kinds/cognitotoken"
)

// patience is how long a wizard on a pipe may take.
const patience = 30 * time.Second

func preview(spec generator.Spec) (Summary, error) {
	tree, err := generator.Render(spec)
	if err != nil {
		return Summary{}, err
	}
	summary := Summary{Dir: spec.Name, Command: func(int) []string {
		return []string{"  golam new " + spec.Name + " " + strings.Join(kinds.All().Flags(spec), " ")}
	}}
	for _, file := range tree {
		summary.Files = append(summary.Files, file.Path)
	}
	return summary, nil
}

func newTestModel(t *testing.T, config Config) *model {
	t.Helper()
	config.Preview = preview
	asked, err := newInterview(config)
	if err != nil {
		t.Fatal(err)
	}
	return newModel(asked)
}

func TestPagesComeFromTheOptions(t *testing.T) {
	asked, err := newInterview(Config{Catalog: kinds.All()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, page := range asked.pages {
		for _, option := range page.options {
			if option.Page != page.title {
				t.Errorf("%s is asked on %s, not on %s", option.Key, page.title, option.Page)
			}
			got = append(got, option.Key)
		}
	}
	var want []string
	for _, option := range Questions(nil) {
		want = append(want, option.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestWrongGivenAnswersAreRefusedBeforeAnythingIsAsked(t *testing.T) {
	_, err := Run(t.Context(), Config{Catalog: kinds.All(), Given: generator.Answers{"trigger": "v4", "color": "red"}})
	var invalid *generator.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 2 {
		t.Errorf("the error is %v", err)
	}
}

func TestModuleFollowsTheName(t *testing.T) {
	for _, test := range []struct {
		name   string
		config Config
		set    []string // key, value, key, value ...
		want   string
	}{
		{"of the folder", Config{Catalog: kinds.All(), Dir: "some/demo"}, nil, "example.com/demo"},
		{"given", Config{Catalog: kinds.All(), Given: generator.Answers{"name": "given"}}, nil, "example.com/given"},
		{"typed", Config{Catalog: kinds.All()}, []string{"name", "d", "name", "de"}, "example.com/de"},
		{"until it is typed itself", Config{Catalog: kinds.All()}, []string{"name", "d", "module", "example.com/m", "name", "de"}, "example.com/m"},
		{"again when it is the default again", Config{Catalog: kinds.All()}, []string{"name", "d", "module", "x", "module", "example.com/d", "name", "de"}, "example.com/de"},
		{"unless it is given", Config{Catalog: kinds.All(), Dir: "d", Given: generator.Answers{"module": "example.com/d"}}, []string{"name", "de"}, "example.com/d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, err := newInterview(test.config)
			if err != nil {
				t.Fatal(err)
			}
			for pair := range slices.Chunk(test.set, 2) {
				asked.set(pair[0], pair[1])
			}
			if got := asked.answers["module"]; got != test.want {
				t.Errorf("the module is %q, not %q", got, test.want)
			}
		})
	}
}

// TestKeysTypedAhead sends every key before the wizard has drawn anything, which must not confuse it.
func TestKeysTypedAhead(t *testing.T) {
	const enter, back, up, down = "\r", "\x1b[Z", "\x1b[A", "\x1b[B"
	for _, test := range []struct {
		name string
		keys []string
		want generator.Answers // beside the defaults; nil where the wizard stops
	}{
		{"defaults", []string{enters("name", Last), enter}, generator.Answers{"name": "demo"}},
		{
			"wrong answers, forwards and backwards",
			[]string{
				"-", enter, "\x7f", enter, "/", enter, back, "2", enter, "\x7f", enter, enter, "sub", back, enter, enter, "\x15",
				enters("claims", Last), enter,
			},
			generator.Answers{"name": "demo2", "module": "example.com/demo"},
		},
		{
			"rows",
			[]string{
				enters("name", "claims"), up, "\x18", "roles=custom:r", enter, up, up, "s", enter, enter, down, enters("claims", Last), enter,
			},
			generator.Answers{"name": "demo", "claims": "tenant_ids=custom:tenant_id,roles=custom:r"},
		},
		{
			"back to the first page",
			[]string{enters("name", Last), down, enter, "2", enters("name", Last), enter},
			generator.Answers{"name": "demo2"},
		},
		{"escape", []string{"\x1b"}, nil},
		{"ctrl-c", []string{enter, "\x03", enters("module", Last), enter}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			in, keys := io.Pipe()
			defer in.Close()
			go io.WriteString(keys, strings.Join(test.keys, ""))
			var out bytes.Buffer
			got, err := Run(ctx, Config{Catalog: kinds.All(), In: in, Out: &out, Dir: "demo", Preview: preview})
			if test.want == nil {
				if !errors.Is(err, ErrAborted) || ctx.Err() != nil {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v; the output is %q", err, out.String())
			}
			want, err := kinds.All().Resolve(test.want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Answers(), got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndOfInputAndOfContextAbort(t *testing.T) {
	for _, accessible := range []bool{false, true} {
		for name, end := range map[string]func(*io.PipeWriter, context.CancelFunc){
			"input":   func(keys *io.PipeWriter, _ context.CancelFunc) { keys.Close() },
			"context": func(_ *io.PipeWriter, cancel context.CancelFunc) { cancel() },
		} {
			t.Run(name+map[bool]string{true: " accessible"}[accessible], func(t *testing.T) {
				t.Parallel()
				guard, done := context.WithTimeout(t.Context(), patience)
				defer done()
				ctx, cancel := context.WithCancel(guard)
				defer cancel()
				in, keys := io.Pipe()
				defer in.Close()
				go func() {
					io.WriteString(keys, "\n\n")
					end(keys, cancel)
				}()
				answers, err := Run(ctx, Config{Catalog: kinds.All(), In: in, Out: io.Discard, Accessible: accessible, Dir: "demo", Preview: preview})
				if !errors.Is(err, ErrAborted) || answers != nil || guard.Err() != nil {
					t.Errorf("answers %v, error %v", answers, err)
				}
			})
		}
	}
}

// press sends keys to a model, without a program around it.
func press(m *model, keys ...tea.KeyPressMsg) {
	for _, key := range keys {
		m.Update(key)
	}
}

var (
	enterKey = tea.KeyPressMsg{Code: tea.KeyEnter}
	tabKey   = tea.KeyPressMsg{Code: tea.KeyTab}
)

func TestPageFitsAnyTerminal(t *testing.T) {
	given := generator.Answers{"ci": "none"}
	questions := Questions(given)
	m := newTestModel(t, Config{Catalog: kinds.All(), Dir: "demo", Given: given})
	m.Init()
	for field := 0; ; field++ {
		for _, size := range []tea.WindowSizeMsg{
			{Width: 80, Height: 24}, {Width: 120, Height: 40}, {Width: 300, Height: 100}, {Width: 40, Height: 24}, {Width: 30, Height: 14}, {},
		} {
			m.Update(size)
			content := m.View().Content
			lines := strings.Split(content, "\n")
			if len(lines) > m.height {
				t.Errorf("%q has %d lines at %v:\n%s", m.focused().option.Key, len(lines), size, content)
			}
			for _, line := range lines {
				if width := lipgloss.Width(line); width > m.width {
					t.Errorf("%q: %d columns at %v: %s", m.focused().option.Key, width, size, line)
				}
			}
		}
		if field == len(questions) {
			break
		}
		if key := m.focused().option.Key; key != questions[field].Key {
			t.Fatalf("the focus is on %q, not on %q", key, questions[field].Key)
		}
		press(m, enterKey)
	}
	if m.focused() != m.last || m.last.page != len(Pages(given)) {
		t.Errorf("the last page is %q", m.heading())
	}
	press(m, enterKey)
	if m.form.State != huh.StateCompleted {
		t.Errorf("the form's state is %v", m.form.State)
	}
}

// TestSwitchIsNoOrYes holds that a switch is asked like any other question, and answered as its flag is.
func TestSwitchIsNoOrYes(t *testing.T) {
	var option generator.Option
	for _, o := range kinds.All().Options() {
		if !o.IsSwitch() {
			continue
		}
		option = o
		for i, word := range []string{"no", "yes"} {
			if help := o.Choices[i].Help; help != word && !strings.HasPrefix(help, word+": ") {
				t.Errorf("--%s: the help %q does not begin with %s", o.Key, help, word)
			}
		}
	}
	option.Choices = []generator.Choice{{Value: "false", Help: "no"}, {Value: "true", Help: "yes: to a new bus"}}
	for _, test := range []struct {
		brief bool
		want  []huh.Option[string]
	}{
		{false, []huh.Option[string]{huh.NewOption("no", "false"), huh.NewOption("yes  to a\n     new bus", "true")}},
		{true, []huh.Option[string]{huh.NewOption("no", "false"), huh.NewOption("yes", "true")}},
	} {
		got := labelled(option, 12, test.brief)
		if !slices.EqualFunc(test.want, got, func(a, b huh.Option[string]) bool { return a.Key == b.Key && a.Value == b.Value }) {
			t.Errorf("brief=%t: %q, not %q", test.brief, got, test.want)
		}
	}

	for typed, want := range map[string]string{
		"": "true", "1": "false", "2": "true", "no": "false", "yes": "true", "n": "false", "Y": "true", "false": "false", "true": "true",
		"3\n0\n-1\nmaybe\nnot\nno": "false",
	} {
		asked, err := newInterview(Config{Catalog: kinds.All(), Dir: "demo"})
		if err != nil {
			t.Fatal(err)
		}
		asked.set(option.Key, "true")
		var out bytes.Buffer
		l := &lines{interview: asked, out: &out, next: nextLine(t.Context(), strings.NewReader(typed+"\n"))}
		if err := l.ask(option); err != nil || asked.answers[option.Key] != want {
			t.Errorf("%q answers %q, not %q: %v\n%s", typed, asked.answers[option.Key], want, err, out.String())
		}
		if strings.Contains(out.String(), "false") || strings.Contains(out.String(), "true") {
			t.Errorf("%q is answered with values of the flag:\n%s", typed, out.String())
		}
		for _, text := range []string{"  1. no\n  2. yes: to a new bus\n", "number or name [yes]: "} {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%q is not in\n%s", text, out.String())
			}
		}
		if got, want := strings.Count(out.String(), "* unknown choice"), strings.Count(typed, "\n"); got != want {
			t.Errorf("%q is refused %d times, not %d:\n%s", typed, got, want, out.String())
		}
	}

	for value, want := range map[string]string{"true": "--" + option.Key, "false": "--" + option.Key + " false"} {
		asked, err := newInterview(Config{Catalog: kinds.All(), Given: generator.Answers{option.Key: value}})
		if err != nil {
			t.Fatal(err)
		}
		if got := asked.flags(option.Page); !slices.Equal(got, []string{want}) {
			t.Errorf("%s given is shown as %q, not as %q", value, got, want)
		}
	}
}

func TestPastedLineFeedsAreNoKeys(t *testing.T) {
	m := newTestModel(t, Config{Catalog: kinds.All()})
	m.Init()
	m.Update(tea.PasteMsg{Content: " pasted\n"})
	if got := m.answers["name"]; got != "pasted" {
		t.Errorf("the name is %q", got)
	}
	press(m, tabKey)
	if got := m.focused().option.Key; got != "module" {
		t.Errorf("the focus is on %q", got)
	}
}

func TestManyClaimsScroll(t *testing.T) {
	var rows []string
	for i := range 40 {
		rows = append(rows, "claim"+string(rune('a'+i%26))+strings.Repeat("x", i)+"=email")
	}
	m := newTestModel(t, Config{Catalog: kinds.All(), Dir: "demo"})
	m.set("claims", strings.Join(rows, ","))
	m.build()
	m.Init()
	press(m, enterKey, enterKey, enterKey)
	if content := m.View().Content; !strings.Contains(ansi.Strip(content), "add a claim") || lipgloss.Height(content) > m.height {
		t.Errorf("the row for adding is not to be seen:\n%s", content)
	}
	for range 40 {
		press(m, tea.KeyPressMsg{Code: tea.KeyUp})
	}
	if content := m.View().Content; !strings.Contains(ansi.Strip(content), "claima") || lipgloss.Height(content) > m.height {
		t.Errorf("the first row is not to be seen:\n%s", content)
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two  three", 7, []string{"one two", "three"}},
		{"one two three", 3, []string{"one", "two", "thr", "ee"}},
		{"--no-git is kept", 8, []string{"--no-git", "is kept"}},
		{"日本語 ab", 4, []string{"日本", "語", "ab"}},
		{"日", 1, []string{"", "日"}}, // it cannot fit, but ends
		{"abc", 0, []string{"a", "b", "c"}},
	} {
		if diff := cmp.Diff(test.want, wrap(test.text, test.width)); diff != "" {
			t.Errorf("%q in %d columns (-want +got):\n%s", test.text, test.width, diff)
		}
	}
}

func TestListing(t *testing.T) {
	got := listing([]string{"Makefile", "cmd/demo/main.go", "events/a.json", "events/b.json", "go.mod"}, 26)
	want := []string{"./         Makefile go.mod", "cmd/demo/  main.go", "events/    a.json b.json"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNothingFromOutsideMovesTheCursor(t *testing.T) {
	if got := printable("a\x1b[2J\tb\r\n\u202ec"); got != "a�[2J b  �c" {
		t.Errorf("%q", got)
	}
}

// FuzzClaims presses keys on the rows: whatever is typed, what can be left forwards is what Cognito takes.
func FuzzClaims(f *testing.F) {
	f.Add([]byte("sub\r\x01team\rcustom:t\r\r"))
	f.Add([]byte("a=b\x02\x02\x03\x02x\r"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		m := newTestModel(t, Config{Catalog: kinds.All(), Dir: "demo", Given: generator.Answers{"name": "demo", "module": "example.com/demo", "trigger": "v2"}})
		m.Init()
		if m.focused().option.Key != "claims" {
			t.Fatalf("the focus is on %q", m.focused().option.Key)
		}
		for _, key := range keys[:min(len(keys), 100)] {
			switch key {
			case '\r':
				press(m, enterKey)
			case 1:
				press(m, tea.KeyPressMsg{Code: 'x', Mod: tea.ModCtrl})
			case 2:
				press(m, tea.KeyPressMsg{Code: tea.KeyUp})
			case 3:
				press(m, tea.KeyPressMsg{Code: tea.KeyDown})
			case 4:
				press(m, tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift})
			case 5:
				press(m, tea.KeyPressMsg{Code: tea.KeyBackspace})
			default:
				press(m, tea.KeyPressMsg{Code: rune(key), Text: string(rune(key))})
			}
			if m.focused().page > 0 {
				break
			}
		}
		if m.focused().page > 0 {
			option, _ := kinds.All().Option("claims")
			if problems := option.Check(m.answers["claims"]); len(problems) > 0 {
				t.Errorf("%q was left with %q: %q", keys, m.answers["claims"], problems)
			}
		}
	})
}

// second is another kind, with choices of its own for a question that the first one has, too.
type second struct{ cognitotoken.Kind }

func (second) Name() string                { return "second" }
func (second) DefaultFunctionName() string { return "second" }
func (second) Options() []generator.Option {
	return []generator.Option{
		generator.Choices(generator.Option{
			Key: "trigger", Page: "Tokens", After: "module", Question: "Which trigger is it?", Choices: []generator.Choice{{Value: "timer"}, {Value: "button"}},
		}),
		generator.Choices(generator.Option{
			Key: "rate", Page: "Timer", After: "ci", Question: "How often does it run?", Choices: []generator.Choice{{Value: "daily"}, {Value: "hourly"}},
		}),
	}
}

// TestKindDecidesQuestions chooses a kind, forwards and after going back, on pages and in lines.
func TestKindDecidesQuestions(t *testing.T) {
	const enter, back, up, down = "\r", "\x1b[Z", "\x1b[A", "\x1b[B"
	catalog := append(kinds.All(), second{})
	defaults := func(changed generator.Answers) generator.Answers {
		spec, err := catalog.Resolve(changed)
		if err != nil {
			t.Fatal(err)
		}
		return spec.Answers()
	}
	enters := func(kind, from, to string) string { // from one question of a kind to another
		var keys []string
		for _, option := range catalog.OptionsOf(kind) {
			keys = append(keys, option.Key)
		}
		keys = append(keys, Last)
		return strings.Repeat(enter, slices.Index(keys, to)-slices.Index(keys, from))
	}
	for name, test := range map[string]struct {
		accessible bool
		keys       []string
		want       generator.Answers
	}{
		"the default": {false, []string{enters("", "name", Last), enter}, generator.Answers{"name": "demo"}},
		"the other": {
			false,
			[]string{enters("", "name", "kind"), down, enter, down, enters("second", "trigger", "rate"), down, enters("second", "rate", Last), enter},
			generator.Answers{"name": "demo", "kind": "second", "trigger": "button", "rate": "hourly"},
		},
		"back to the first": {
			false,
			[]string{
				enters("", "name", "kind"), enter, down, enters("", "trigger", "claims"), back, back, down, enter, down, enter, back, back, up,
				enters("", "kind", Last), enter,
			},
			generator.Answers{"name": "demo"},
		},
		"in lines": {
			true,
			[]string{"\n\nsecond\nbutton\n", strings.Repeat("\n", 2), "hourly\n", strings.Repeat("\n", 3), "yes\n"},
			generator.Answers{"name": "demo", "kind": "second", "trigger": "button", "rate": "hourly"},
		},
		"in lines, and back": {
			true,
			[]string{"\n\nsecond\nbutton\n", strings.Repeat("\n", 6), "back\n", "\n\ncognito-token\n", strings.Repeat("\n", 8), "yes\n"},
			generator.Answers{"name": "demo"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			in, keys := io.Pipe()
			defer in.Close()
			go io.WriteString(keys, strings.Join(test.keys, ""))
			var out bytes.Buffer
			got, err := Run(ctx, Config{Catalog: catalog, In: in, Out: &out, Dir: "demo", Accessible: test.accessible, Preview: func(spec generator.Spec) (Summary, error) {
				return Summary{Dir: spec.Name, Files: []string{"a"}, Command: func(int) []string { return nil }}, nil
			}})
			if err != nil {
				t.Fatalf("%v; the output is %q", err, out.String())
			}
			if diff := cmp.Diff(defaults(test.want), got); diff != "" {
				t.Errorf("answers (-want +got):\n%s\n%s", diff, out.String())
			}
		})
	}
}

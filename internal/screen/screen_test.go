package screen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/watch"
)

// shown is a model on a screen of that size, with functions that have these states.
func shown(width, height int, functions ...running.Function) *model {
	m := newModel(context.Background(), Actions{
		Examples: func() ([]string, error) { return []string{"authentication", "refresh"}, nil },
		Invoke: func(_ context.Context, function, example string) error {
			return errors.New(function + " with " + example)
		},
	})
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	m.Update(watch.Event{Type: watch.EventServing, Serving: &watch.Serving{URL: "http://127.0.0.1:9001", Root: "/home/me/shop"}})
	if functions != nil {
		m.Update(built("08:00:00", "", functions...))
	}
	return m
}

func built(clock, problem string, functions ...running.Function) watch.Event {
	at, err := time.Parse("15:04:05", clock)
	if err != nil {
		panic(err)
	}
	return watch.Event{Time: at, Type: watch.EventBuilt, Build: &watch.Build{Milliseconds: 12, Error: problem}, Functions: functions}
}

// press presses keys, and lets what they set off come back.
func press(m *model, keys ...string) {
	codes := map[string]rune{"up": tea.KeyUp, "down": tea.KeyDown, "esc": tea.KeyEscape, "enter": tea.KeyEnter, "tab": tea.KeyTab, "backspace": tea.KeyBackspace}
	for _, key := range keys {
		message := tea.KeyPressMsg{Code: codes[key]}
		if codes[key] == 0 {
			message = tea.KeyPressMsg{Code: []rune(key)[0], Text: key}
		}
		if _, command := m.Update(message); command != nil {
			m.Update(command())
		}
	}
}

func text(m *model) string { return ansi.Strip(m.View().Content) }

func TestScreen(t *testing.T) {
	ready := running.Function{Name: "hello", Serving: true}
	other := running.Function{Name: "other", Serving: true}
	var many []running.Function
	for n := range 100 {
		many = append(many, running.Function{Name: fmt.Sprintf("function-%02d-%s", n, strings.Repeat("long", 20)), Serving: true})
	}
	note := func(m *model, texts ...string) {
		for _, text := range texts {
			m.Update(watch.Event{Type: watch.EventNote, Note: text})
		}
	}
	for _, tt := range []struct {
		name      string
		functions []running.Function
		do        func(m *model)
		has, not  []string
	}{
		{"nothing built", nil, func(*model) {}, []string{"building for the first time", "golam watch: shop"}, nil},
		{"ready", []running.Function{ready}, func(*model) {}, []string{"hello  ready", "last build 08:00:00, 12 ms", "i invoke"}, nil},
		{"no function to invoke", []running.Function{}, func(m *model) { press(m, "i") }, []string{noFunction}, nil},
		{
			"picker",
			[]running.Function{ready, other},
			func(m *model) { press(m, "i", "tab", "down") },
			[]string{"invoke other with", "  authentication", "> refresh", "tab other function"},
			nil,
		},
		{
			"picker with a filter",
			[]running.Function{ready},
			func(m *model) { press(m, "i", "r", "e", "f", "x", "backspace") },
			[]string{"with ref", "> refresh"},
			[]string{"authentication", "tab"},
		},
		{"filter that nothing has", []running.Function{ready}, func(m *model) { press(m, "i", "x", "y", "down", "up", "enter") }, []string{"no example has this"}, nil},
		{"back from the picker", []running.Function{ready}, func(m *model) { press(m, "i", "esc") }, []string{"i invoke"}, []string{"> authentication"}},
		{"invocation", []running.Function{ready}, func(m *model) { press(m, "i", "down", "enter") }, []string{"hello with refresh"}, []string{"> refresh"}},
		{"the function goes before the picker comes", []running.Function{ready}, func(m *model) {
			command := m.press("i")
			m.Update(built("08:00:01", "there is no function"))
			m.Update(command())
			press(m, "tab", "enter")
		}, []string{"broken since 08:00:01"}, []string{"invoke hello"}},
		{"broken for a while", []running.Function{ready}, func(m *model) {
			m.Update(built("08:00:01", "a.go:1: first\nsecond", running.Function{Name: "hello", Serving: true, Broken: true}))
			m.Update(built("08:00:02", "a.go:2: third", running.Function{Name: "hello", Serving: true, Broken: true}, running.Function{Name: "new", Broken: true}))
		}, []string{"hello  broken, the last good build serves", "new    broken, not built yet", "broken since 08:00:01", "a.go:2: third"}, []string{"first"}},
		{"mended", []running.Function{ready}, func(m *model) {
			m.Update(built("08:00:01", "a.go:1: first", ready))
			m.Update(built("08:00:02", "", ready))
			m.Update(built("08:00:03", "again", ready))
		}, []string{"broken since 08:00:03"}, []string{"first"}},
		{"building", []running.Function{ready}, func(m *model) { m.Update(watch.Event{Type: watch.EventBuilding}) }, []string{"12 ms, building"}, nil},
		{"logs", []running.Function{ready}, func(m *model) {
			m.Update(watch.Event{Type: watch.EventLog, Log: &watch.Log{Function: "hello", RequestID: "1", Text: "said"}})
			m.Update(watch.Event{Type: watch.EventInvocation, Invocation: &watch.Invocation{
				Function: "hello", RequestID: "1", Duration: 2, Error: &watch.FunctionError{Type: "E", Message: "no luck"},
			}})
		}, []string{"| said", "hello  2.0 ms  warm", "failed E: no luck", "1 invocation, 1 failed"}, nil},
		{"logs hidden", []running.Function{ready}, func(m *model) {
			m.Update(watch.Event{Type: watch.EventLog, Log: &watch.Log{Function: "hello", RequestID: "1", Text: "said"}})
			press(m, "l")
		}, []string{"hello is running"}, []string{"| said"}},
		{"cleared", []running.Function{ready}, func(m *model) { note(m, "one"); press(m, "c") }, []string{"nothing has happened yet"}, []string{"note one"}},
		{"scrolled too far", []running.Function{ready}, func(m *model) {
			for n := range 50 {
				note(m, fmt.Sprint("number ", n, "."))
			}
			for range 100 {
				press(m, "up")
			}
		}, []string{"number 0."}, []string{"number 49."}},
		{"scrolled back", []running.Function{ready}, func(m *model) {
			for n := range 50 {
				note(m, fmt.Sprint("number ", n, "."))
			}
			press(m, "up", "k", "b", "G", "down")
		}, []string{"number 49."}, []string{"number 0."}},
		{"many functions with long names", many, func(*model) {}, []string{"function-00-long", "and 93 more"}, nil},
		{"controls", []running.Function{ready}, func(m *model) { note(m, "a\x1b[2Jb\tc") }, nil, []string{"\x1b[2J", "\t"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := shown(100, 24, tt.functions...)
			tt.do(m)
			got := text(m)
			for _, want := range tt.has {
				if !strings.Contains(got, want) {
					t.Errorf("it has no %q:\n%s", want, got)
				}
			}
			for _, unwanted := range tt.not {
				if strings.Contains(got, unwanted) {
					t.Errorf("it has %q:\n%s", unwanted, got)
				}
			}
			// Whatever the size, it fits.
			for _, size := range [][2]int{{20, 24}, {20, 3}, {1, 1}, {200, 2}, {80, 24}, {0, 0}} {
				m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				content := text(m)
				if lines := strings.Split(content, "\n"); content != "" && len(lines) > size[1] {
					t.Errorf("%d lines on a screen of %v", len(lines), size)
				}
				for _, line := range strings.Split(content, "\n") {
					if ansi.StringWidth(line) > size[0] {
						t.Errorf("%q on a screen of %v", line, size)
					}
				}
			}
		})
	}
}

func TestKeysThatEnd(t *testing.T) {
	for key, interrupted := range map[string]bool{"q": false, "ctrl+c": true} {
		m := shown(80, 24)
		command := m.press(key)
		if command == nil || m.interrupted != interrupted {
			t.Fatalf("%s: interrupted %v", key, m.interrupted)
		}
		if _, ok := command().(tea.QuitMsg); !ok {
			t.Errorf("%s does not end it", key)
		}
	}
}

// An end that nobody asked for is an error, and not an interruption.
func TestRun(t *testing.T) {
	run := func(ctx context.Context, config Config) error {
		config.In, config.Out = strings.NewReader(""), &bytes.Buffer{}
		s := New(ctx, config)
		go s.Tell(watch.Event{Type: watch.EventServing}) // without the address, which the model relies on
		return s.Run()
	}
	if err := run(t.Context(), Config{}); err == nil || errors.Is(err, ErrInterrupted) {
		t.Errorf("a panic gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, Config{}); !errors.Is(err, ErrInterrupted) {
		t.Errorf("the end of the context gives %v", err)
	}
}

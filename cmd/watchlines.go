package cmd

import (
	"fmt"
	"strings"

	"github.com/golam-cli/golam/internal/eventbus"
	"github.com/golam-cli/golam/internal/terminal"
	"github.com/golam-cli/golam/internal/traces"
	"github.com/golam-cli/golam/internal/units"
	"github.com/golam-cli/golam/internal/watch"
)

// lines prints what happens in plain lines, for whoever has no terminal or wants none.
type lines struct {
	app *app
}

func newLines(a *app) *lines { return &lines{app: a} }

func (l *lines) print(e watch.Event) {
	out := l.app.stdout()
	clock := e.Time.Format("15:04:05.000")
	say := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		for i, line := range strings.Split(text, "\n") {
			if i > 0 {
				line = "  " + line
			}
			fmt.Fprintf(out, "%s %s\n", clock, terminal.Printable(strings.ReplaceAll(line, "\t", "  ")))
		}
	}
	switch e.Type {
	case watch.EventServing:
		say("serving %s at %s", e.Serving.Root, e.Serving.URL)
	case watch.EventBuilding:
		if !l.app.quiet {
			say("building")
		}
	case watch.EventBuilt:
		say("%s", describeBuild(e))
	case watch.EventInvocation:
		say("%s", describeInvocation(*e.Invocation))
	case watch.EventLog:
		if !l.app.quiet && (l.app.verbose || !e.Log.Platform) {
			say("%s | %s", e.Log.Function, e.Log.Text)
		}
	case watch.EventBus:
		say("%s", describeBus(*e.Bus))
	case watch.EventTrace:
		say("%s", describeTrace(*e.Trace))
	case watch.EventNote:
		say("note: %s", e.Note)
	}
}

func describeBuild(e watch.Event) string {
	var parts []string
	for _, change := range []struct {
		what  string
		names []string
	}{{"new", e.Build.Added}, {"changed", e.Build.Changed}, {"gone", e.Build.Removed}} {
		if len(change.names) > 0 {
			parts = append(parts, change.what+": "+strings.Join(change.names, ", "))
		}
	}
	text := fmt.Sprintf("ready after %.0f ms", e.Build.Milliseconds)
	if len(parts) > 0 {
		text += "; " + strings.Join(parts, "; ")
	}
	if e.Build.Error != "" {
		text = "broken"
		if len(parts) > 0 {
			text += "; " + strings.Join(parts, "; ")
		}
		for _, f := range e.Functions {
			if f.Broken && f.Serving {
				text += "; the last good build of " + f.Name + " serves"
			}
		}
		text += "\n" + e.Build.Error
	}
	return text
}

func describeInvocation(i watch.Invocation) string {
	temperature := "warm"
	if i.Cold {
		temperature = fmt.Sprintf("cold, init %.1f ms", i.Init)
	}
	text := fmt.Sprintf("%s %.1f ms, %s", i.Function, i.Duration, temperature)
	if i.MaxMemory > 0 {
		text += fmt.Sprintf(", %d of %d MB", units.MemoryMB(i.MaxMemory), i.MemorySize)
	}
	if i.Error != nil {
		text += ", failed: " + strings.Trim(i.Error.Type+": "+i.Error.Message, ": ")
	}
	return text + " (" + i.RequestID + ")"
}

func describeBus(d eventbus.Delivered) string {
	text := fmt.Sprintf("event %q from %s on bus %s: %s", d.Event.DetailType, d.Event.Source, d.Bus, d.Event.Detail)
	if d.Error != "" {
		return text + "\nrefused: " + d.Error
	}
	for _, match := range d.Matches {
		text += "\nmatches rule " + match.Rule
		if len(match.Functions) > 0 {
			text += ", goes to " + strings.Join(match.Functions, ", ")
		}
	}
	return text
}

func describeTrace(t traces.Trace) string {
	text := fmt.Sprintf("trace %s of %s", t.ID, t.Service)
	for _, span := range t.Spans {
		text += fmt.Sprintf("\n%s%s %.1f ms", strings.Repeat("  ", span.Depth), span.Name, span.Milliseconds)
		if span.Status == "Error" {
			text += " failed: " + span.Message
		}
	}
	return text
}

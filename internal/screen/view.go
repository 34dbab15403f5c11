package screen

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/golam-cli/golam/internal/eventbus"
	"github.com/golam-cli/golam/internal/terminal"
	"github.com/golam-cli/golam/internal/traces"
	"github.com/golam-cli/golam/internal/units"
	"github.com/golam-cli/golam/internal/watch"
)

// styles use the terminal's own colors, and tell nothing by color alone.
type styles struct {
	heading, good, bad, busy, faint, key, chosen lipgloss.Style
}

func newStyles() styles {
	return styles{
		heading: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Magenta),
		good:    lipgloss.NewStyle().Foreground(lipgloss.Green),
		bad:     lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
		busy:    lipgloss.NewStyle().Foreground(lipgloss.Yellow),
		faint:   lipgloss.NewStyle().Faint(true),
		key:     lipgloss.NewStyle().Bold(true),
		chosen:  lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Magenta),
	}
}

// View draws the whole screen.
func (m *model) View() tea.View {
	var view tea.View
	view.AltScreen = true
	view.WindowTitle = "golam watch"
	if m.width < 1 || m.height < 1 {
		return view
	}
	top := append([]string{m.heading()}, m.functionLines()...)
	top = append(top, m.buildLines()...)
	bottom := []string{m.footer()}
	// Where it is tight, what happened yields first, then the functions do.
	room := m.height - len(top) - len(bottom) - 1
	if room < 0 {
		top = top[:max(m.height-len(bottom), 0)]
		room = 0
	}
	lines := top
	if len(lines)+len(bottom) < m.height {
		lines = append(lines, m.rule())
	}
	var middle []string
	if m.picker != nil {
		middle = m.picker.lines(m.styles, room)
	} else {
		middle = m.window(m.happenings(), room)
	}
	lines = append(lines, middle...)
	for len(lines)+len(bottom) < m.height {
		lines = append(lines, "")
	}
	lines = append(lines, bottom...)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	view.Content = strings.Join(lines, "\n")
	return view
}

func (m *model) heading() string {
	left := "golam watch: " + printable(filepath.Base(m.serving.Root))
	gap := max(m.width-ansi.StringWidth(left)-ansi.StringWidth(m.serving.URL), 2)
	return m.styles.heading.Render(left) + strings.Repeat(" ", gap) + m.serving.URL
}

// functionLines has one line for each function, and at most a third of the screen.
func (m *model) functionLines() []string {
	width := 0
	for _, f := range m.functions {
		width = max(width, ansi.StringWidth(f.Name))
	}
	most := max(m.height/3, 1)
	var lines []string
	for i, f := range m.functions {
		if i == most-1 && len(m.functions) > most {
			lines = append(lines, m.styles.faint.Render(fmt.Sprintf("  and %d more", len(m.functions)-i)))
			break
		}
		state := m.styles.good.Render("ready")
		switch {
		case f.Broken && f.Serving:
			state = m.styles.bad.Render("broken") + ", the last good build serves"
		case f.Broken:
			state = m.styles.bad.Render("broken") + ", not built yet"
		case !f.Serving:
			state = m.styles.busy.Render("not built yet")
		}
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, printable(f.Name), state))
	}
	return lines
}

// buildLines tells of the last build, with its mistakes.
func (m *model) buildLines() []string {
	if m.last == nil {
		return []string{m.styles.busy.Render("building for the first time")}
	}
	line := fmt.Sprintf("last build %s, %.0f ms", m.lastAt, m.last.Milliseconds)
	if m.last.Error != "" {
		line = m.styles.bad.Render(fmt.Sprintf("broken since %s", m.brokenAt))
	}
	if m.building {
		line += ", " + m.styles.busy.Render("building")
	}
	if m.total > 0 {
		line += "; " + counted(m.total, "invocation")
		if m.failed > 0 {
			line += fmt.Sprintf(", %d failed", m.failed)
		}
	}
	lines := []string{line}
	if m.last.Error == "" {
		return lines
	}
	mistakes := strings.Split(strings.TrimSpace(m.last.Error), "\n")
	most := max(m.height/3, 1)
	for i, mistake := range mistakes {
		if i == most-1 && len(mistakes) > most {
			return append(lines, m.styles.faint.Render(fmt.Sprintf("  and %d lines more", len(mistakes)-i)))
		}
		lines = append(lines, ansi.Truncate("  "+printable(mistake), m.width, "…"))
	}
	return lines
}

func (m *model) rule() string { return m.styles.faint.Render(strings.Repeat("─", m.width)) }

func (m *model) footer() string {
	if m.notice != "" {
		return m.styles.bad.Render(printable(m.notice))
	}
	keys := [][2]string{{"i", "invoke"}, {"c", "clear"}, {"l", "logs"}, {"↑↓", "scroll"}, {"q", "quit"}}
	if m.picker != nil {
		keys = [][2]string{{"enter", "invoke"}, {"↑↓", "choose"}, {"esc", "back"}}
		if len(m.picker.functions) > 1 {
			keys = append(keys, [2]string{"tab", "other function"})
		}
	}
	var parts []string
	for _, key := range keys {
		parts = append(parts, m.styles.key.Render(key[0])+" "+key[1])
	}
	return strings.Join(parts, "  ")
}

// window cuts out what is to be seen.
func (m *model) window(lines []string, room int) []string {
	m.scrolled = min(m.scrolled, max(len(lines)-room, 0))
	end := len(lines) - m.scrolled
	return lines[max(end-room, 0):end]
}

// happenings are the lines of what has happened. Only as many are drawn as may be seen.
func (m *model) happenings() []string {
	if len(m.happened) == 0 {
		return []string{m.styles.faint.Render("nothing has happened yet: press i, or save a file")}
	}
	enough := m.height + m.scrolled
	var blocks [][]string
	count := 0
	for i := len(m.happened) - 1; i >= 0 && count < enough; i-- {
		block := m.happening(m.happened[i])
		blocks = append(blocks, block)
		count += len(block)
	}
	var lines []string
	for i := len(blocks) - 1; i >= 0; i-- {
		lines = append(lines, blocks[i]...)
	}
	return lines
}

const indent = "         " // as wide as the time

func (m *model) happening(h *happening) []string {
	e := h.event
	clock := m.styles.faint.Render(e.Time.Format("15:04:05")) + " "
	var lines []string
	switch e.Type {
	case watch.EventInvocation:
		lines = append(lines, clock+m.invocation(*e.Invocation))
		if failure := e.Invocation.Error; failure != nil {
			lines = append(lines, indent+m.styles.bad.Render("failed")+" "+printable(strings.Trim(failure.Type+": "+failure.Message, ": ")))
		}
	case watch.EventLog:
		lines = append(lines, clock+printable(e.Log.Function)+m.styles.faint.Render(" is running"))
		if len(h.logs) == 0 {
			lines = []string{clock + printable(e.Log.Function) + m.styles.faint.Render(" | ") + logText(e.Log.Text)}
		}
	case watch.EventBus:
		lines = append(lines, m.bus(clock, *e.Bus)...)
	case watch.EventTrace:
		lines = append(lines, m.trace(clock, *e.Trace)...)
	case watch.EventNote:
		lines = append(lines, clock+m.styles.busy.Render("note")+" "+printable(e.Note))
	}
	if m.logs {
		for _, text := range h.logs {
			lines = append(lines, indent+m.styles.faint.Render("| ")+logText(text))
		}
	}
	return lines
}

func (m *model) invocation(i watch.Invocation) string {
	temperature := "warm"
	if i.Cold {
		temperature = fmt.Sprintf("cold, init %.1f ms", i.Init)
	}
	line := fmt.Sprintf("%s  %.1f ms  %s", m.styles.key.Render(printable(i.Function)), i.Duration, temperature)
	if i.MaxMemory > 0 {
		line += fmt.Sprintf("  %d of %d MB", units.MemoryMB(i.MaxMemory), i.MemorySize)
	}
	return line
}

func (m *model) bus(clock string, d eventbus.Delivered) []string {
	lines := []string{clock + m.styles.key.Render("event") + " " + printable(fmt.Sprintf("%s from %s on %s", d.Event.DetailType, d.Event.Source, d.Bus))}
	if detail := string(d.Event.Detail); detail != "" {
		lines = append(lines, indent+printable(detail))
	}
	if d.Error != "" {
		return append(lines, indent+m.styles.bad.Render("refused")+" "+printable(d.Error))
	}
	for _, match := range d.Matches {
		line := indent + m.styles.good.Render("matches") + " rule " + printable(match.Rule)
		if len(match.Functions) > 0 {
			line += ", goes to " + printable(strings.Join(match.Functions, ", "))
		}
		lines = append(lines, line)
	}
	return lines
}

// maxSpanLines is how many spans of a trace are shown.
const maxSpanLines = 30

// trace draws the tree of spans, each with a bar for its part of the whole.
func (m *model) trace(clock string, t traces.Trace) []string {
	lines := []string{clock + m.styles.key.Render("trace") + " " + t.ID}
	if len(t.Spans) == 0 {
		return lines
	}
	begin, end := t.Spans[0].Start, t.Spans[0].Start
	width := 0
	for _, span := range t.Spans {
		if span.Start.Before(begin) {
			begin = span.Start
		}
		if stop := span.End(); stop.After(end) {
			end = stop
		}
		width = max(width, 2*span.Depth+ansi.StringWidth(span.Name))
	}
	const narrow, least = 40, 10
	width = min(width, max(m.width-len(indent)-narrow, least))
	bars := max(min(m.width-len(indent)-width-len("  12345.6 ms  "), 30), 0)
	for i, span := range t.Spans {
		if i == maxSpanLines {
			lines = append(lines, indent+m.styles.faint.Render(fmt.Sprintf("and %d spans more", len(t.Spans)-i+t.Dropped)))
			break
		}
		name := ansi.Truncate(strings.Repeat("  ", span.Depth)+printable(span.Name), width, "…")
		line := fmt.Sprintf("%s%s%s  %7.1f ms  ", indent, name, strings.Repeat(" ", max(width-ansi.StringWidth(name), 0)), span.Milliseconds)
		if bars > 0 {
			line += m.styles.faint.Render(bar(bars, span.Start.Sub(begin), span.End().Sub(begin), end.Sub(begin)))
		}
		if span.Status == "Error" {
			line += " " + m.styles.bad.Render("failed") + " " + printable(span.Message)
		}
		lines = append(lines, line)
	}
	return lines
}

// logText makes a log line readable: of a record in JSON, the level and the message come first, then the other fields but for those that
// the screen tells anyway.
func logText(text string) string {
	var record map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &record) != nil {
		return printable(text)
	}
	take := func(keys ...string) string {
		for _, key := range keys {
			var value string
			if json.Unmarshal(record[key], &value) == nil && value != "" {
				delete(record, key)
				return value
			}
		}
		return ""
	}
	level, message := take("level"), take("message", "msg")
	if message == "" {
		return printable(text)
	}
	for _, key := range []string{"timestamp", "time", "requestId", "trace_id", "span_id"} {
		delete(record, key)
	}
	line := strings.TrimSpace(level + " " + message)
	for _, key := range slices.Sorted(maps.Keys(record)) {
		line += " " + key + "=" + string(record[key])
	}
	return printable(line)
}

// counted is "1 invocation" or "2 invocations".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (p *picker) lines(s styles, room int) []string {
	title := "invoke " + s.key.Render(printable(p.functions[p.function])) + " with"
	if p.filter != "" {
		title += " " + printable(p.filter)
	}
	lines := []string{title}
	shown := p.shown()
	if len(shown) == 0 {
		lines = append(lines, s.faint.Render("  no example has this in its name"))
	}
	rows := max(room-1, 1)
	first := max(min(p.example-rows/2, len(shown)-rows), 0)
	for i := first; i < min(first+rows, len(shown)); i++ {
		if i == p.example {
			lines = append(lines, s.chosen.Render("> "+printable(shown[i])))
		} else {
			lines = append(lines, "  "+printable(shown[i]))
		}
	}
	return lines[:min(len(lines), max(room, 0))]
}

// printable also makes tabs of a fixed width.
func printable(text string) string {
	return terminal.Printable(strings.ReplaceAll(text, "\t", "  "))
}

package wizard

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"

	"github.com/golam-cli/golam/generator"
)

// maxWidth is where lines become too long to read.
const maxWidth = 100

// layout fits the page into the terminal. What does not fit is scrolled to the field that has the focus.
func (m *model) layout() {
	width, inner := m.columns(), m.columns()-m.styles.Focused.Base.GetHorizontalFrameSize()
	for _, f := range m.fields {
		f.describe(inner, false)
		f.WithHeight(0)
	}
	m.form.WithWidth(width)
	rows := m.height - lipgloss.Height(m.heading()) - lipgloss.Height(m.footer()) - 2
	if m.focused() == m.last {
		decision := lipgloss.Height(m.last.View())
		m.room = max(rows-decision-1, 0)
		m.scrolled = max(0, min(m.scrolled, len(m.preamble())-m.room))
		rows = min(rows, decision)
	}
	if f := m.focused(); lipgloss.Height(f.View()) > rows {
		f.describe(inner, true)
	}
	m.form.WithHeight(max(rows, 1))
}

// columns is how wide a line may be.
func (m *model) columns() int { return min(m.width, maxWidth) }

// View draws the page: what it is about, its questions, and what is wrong or which keys there are.
func (m *model) View() tea.View {
	parts := []string{m.heading()}
	if m.focused() == m.last && m.room > 0 {
		lines := m.preamble()
		parts = append(parts, strings.Join(lines[m.scrolled:min(m.scrolled+m.room, len(lines))], "\n"))
	}
	parts = append(parts, strings.TrimRight(m.form.View(), " \n"), m.footer())
	view := tea.NewView(strings.Join(parts, "\n\n"))
	view.AltScreen = true // the terminal is as it was when the form is gone, however often its size changes
	return view
}

func (m *model) heading() string {
	f := m.focused()
	title, given := "Summary", m.flags("")
	if f != m.last {
		title = m.pages[f.page].title
		given = m.flags(title)
	}
	left, right := "golam new: "+title, fmt.Sprintf("%d of %d", f.page+1, len(m.pages)+1)
	gap := max(m.columns()-lipgloss.Width(left)-lipgloss.Width(right), 1)
	heading := m.styles.heading.Render(left) + strings.Repeat(" ", gap) + right
	if len(given) > 0 {
		heading += "\n" + hanging("given: ", strings.Join(given, " "), m.columns())
	}
	return heading
}

// preamble is what the last page tells before its question.
func (m *model) preamble() []string {
	if m.refusal != nil {
		return wrap(printable(m.refusal.Error()), m.columns())
	}
	lines := append([]string{"The same without questions:"}, m.summary.Command(m.columns())...)
	lines = append(append(lines, ""), wrap(fmt.Sprintf("%d files in %s:", len(m.summary.Files), printable(m.summary.Dir)), m.columns())...)
	return append(lines, listing(m.summary.Files, m.columns())...)
}

// footer is what is wrong, or else which keys there are.
func (m *model) footer() string {
	if m.problem != "" {
		var lines []string
		for line := range strings.Lines(m.problem) {
			lines = append(lines, hanging("* ", line, m.columns()))
		}
		return m.styles.problem.Render(strings.Join(lines, "\n"))
	}
	f := m.focused()
	keys := []string{"enter next"}
	if f == m.last {
		keys[0] = "enter confirm"
	}
	if f.keys != "" {
		keys = append([]string{f.keys}, keys...)
	}
	if f == m.last && 0 < m.room && m.room < len(m.preamble()) {
		keys = append(keys, "pgup/pgdown scroll")
	}
	if f.page > 0 || !f.first {
		keys = append(keys, "esc back", "ctrl+c stop")
	} else {
		keys = append(keys, "esc stop")
	}
	return m.styles.faint.Render(paragraph(strings.Join(keys, " · "), m.columns()))
}

// help is what the option's answer changes.
func help(option generator.Option, width int, brief bool) string {
	if brief {
		return ""
	}
	return paragraph(option.Help, width)
}

// labelled gives each choice a line with what it is called and what it means.
func labelled(option generator.Option, width int, brief bool) []huh.Option[string] {
	choices, column := spoken(option), 0
	for _, choice := range choices {
		column = max(column, len(choice.Value)+2)
	}
	var labels []huh.Option[string]
	for i, choice := range choices {
		label := choice.Value
		if !brief && choice.Help != "" {
			label = hanging(pad(choice.Value, column), choice.Help, width)
		}
		labels = append(labels, huh.NewOption(label, option.Choices[i].Value))
	}
	return labels
}

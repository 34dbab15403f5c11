package wizard

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"

	"github.com/golam-cli/golam/generator"
)

// line is a field with a line of text. Without the focus it draws itself: huh would draw the text in white, on white terminals too.
type line struct {
	*huh.Input

	option generator.Option
	styles styles
	help   string
	answer *answer

	focused bool
	width   int
}

func newLine(option generator.Option, styles styles, answer *answer) *line {
	input := huh.NewInput().Key(option.Key).Title(option.Question).Accessor(answer)
	return &line{Input: input, option: option, styles: styles, answer: answer}
}

// describe sets the help, in lines that fit.
func (l *line) describe(help string) {
	l.help = help
	l.Input.Description(help)
}

// reload takes an answer that changed elsewhere.
func (l *line) reload() { show(l.Input, l.answer) }

// show puts an answer into an input, with the cursor behind it: huh would leave the cursor where it was.
func show(input *huh.Input, answer huh.Accessor[string]) { input.Value(new(string)).Accessor(answer) }

// Update edits the text.
func (l *line) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	_, cmd := l.Input.Update(msg)
	return l, cmd
}

// Focus shows the cursor.
func (l *line) Focus() tea.Cmd {
	l.focused = true
	return l.Input.Focus()
}

// Blur hides it.
func (l *line) Blur() tea.Cmd {
	l.focused = false
	return l.Input.Blur()
}

// WithWidth sets the columns that the field may take.
func (l *line) WithWidth(width int) huh.Field {
	l.width = width
	l.Input.WithWidth(width)
	return l
}

// View draws the question, its help and the text.
func (l *line) View() string {
	if l.focused {
		return l.Input.View()
	}
	styles := l.styles.Blurred
	text := cut(printable(l.answer.Get()), l.width-styles.Base.GetHorizontalFrameSize()-2)
	lines := []string{styles.Title.Render(l.option.Question), l.help, styles.TextInput.Prompt.Render("> ") + text}
	return styles.Base.Width(l.width).Render(strings.Join(lines, "\n"))
}

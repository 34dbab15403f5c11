package wizard

import (
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// styles are the looks of the form. The colors are the terminal's own, so that its user has chosen them to be read on its background,
// and nothing is told by color alone.
type styles struct {
	*huh.Styles
	heading, problem, faint lipgloss.Style // of what stands around the fields
}

func newStyles() styles {
	s := styles{
		Styles:  huh.ThemeBase(false),
		heading: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Magenta),
		problem: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
		faint:   lipgloss.NewStyle().Faint(true),
	}
	accent := lipgloss.NewStyle().Foreground(lipgloss.Magenta)
	for _, field := range []*huh.FieldStyles{&s.Focused, &s.Blurred} {
		field.Title = lipgloss.NewStyle().Bold(true)
		field.SelectSelector = accent.SetString("> ")
		field.SelectedOption = lipgloss.NewStyle().Bold(true)
		field.TextInput.Prompt = accent
		field.TextInput.Placeholder = s.faint
	}
	s.Focused.Base = s.Focused.Base.BorderForeground(lipgloss.Magenta)
	return s
}

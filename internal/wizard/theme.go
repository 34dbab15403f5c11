package wizard

import (
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// newStyles returns the looks of the form. The colours are the terminal's own, so that its user has chosen them to be read on its
// background, and there is nothing that colour alone tells.
func newStyles() *huh.Styles {
	styles := huh.ThemeBase(false)
	accent := lipgloss.NewStyle().Foreground(lipgloss.Magenta)
	for _, field := range []*huh.FieldStyles{&styles.Focused, &styles.Blurred} {
		field.Title = lipgloss.NewStyle().Bold(true)
		field.SelectSelector = accent.SetString("> ")
		field.SelectedOption = lipgloss.NewStyle().Bold(true)
		field.TextInput.Prompt = accent
		field.TextInput.Placeholder = lipgloss.NewStyle().Faint(true)
	}
	styles.Focused.Base = styles.Focused.Base.BorderForeground(lipgloss.Magenta)
	return styles
}

// Styles of what stands around the fields.
var (
	headingStyle = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Magenta)
	problemStyle = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red)
	faintStyle   = lipgloss.NewStyle().Faint(true)
)

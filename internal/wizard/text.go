package wizard

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/golam-cli/golam/internal/terminal"
)

// wrap breaks text between words into lines of at most width columns. (lipgloss.Wrap also breaks at hyphens, and so in the middle of
// flags.) A word that is wider than a line is broken, too.
func wrap(text string, width int) []string {
	width = max(width, 1)
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && lipgloss.Width(line)+1+lipgloss.Width(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		parts := strings.Split(ansi.Hardwrap(word, width, false), "\n")
		last := len(parts) - 1
		lines, line = append(lines, parts[:last]...), parts[last]
	}
	return append(lines, line)
}

// paragraph is wrapped text.
func paragraph(text string, width int) string { return strings.Join(wrap(text, width), "\n") }

// hanging puts text beside a label, in lines of at most width columns, with every line after the first below the text.
func hanging(label, text string, width int) string {
	indent := lipgloss.Width(label)
	return label + strings.Join(wrap(text, width-indent), "\n"+strings.Repeat(" ", indent))
}

// pad fills text with spaces up to a width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-lipgloss.Width(text)))
}

// cut shortens text that is wider than width.
func cut(text string, width int) string { return ansi.Truncate(text, width, "…") }

// printable makes text fit for a line: it replaces what could move the cursor.
func printable(text string) string {
	return terminal.Printable(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, text))
}

// listing shows the files of a project folder by folder.
func listing(files []string, width int) []string {
	const gap = 2
	var folders []string
	names := map[string][]string{}
	column := 0
	for _, file := range files {
		folder := path.Dir(file) + "/"
		if names[folder] == nil {
			folders = append(folders, folder)
			column = max(column, len(folder)+gap)
		}
		names[folder] = append(names[folder], path.Base(file))
	}
	slices.Sort(folders) // "./" comes before every name
	column = min(column, width/2)
	var lines []string
	for _, folder := range folders {
		label := pad(folder, column)
		if len(folder)+gap > column {
			lines = append(lines, wrap(folder, width)...)
			label = pad("", column)
		}
		shown := hanging(label, strings.Join(names[folder], " "), width)
		lines = append(lines, strings.Split(shown, "\n")...)
	}
	return lines
}

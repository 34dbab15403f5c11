package invoke

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/terminal"
)

// WriteTokens writes what Cognito makes of an answer: a table of the claims of each token, and what it would refuse. Claims that the trigger
// has a hand in are marked, + added, ~ changed, - suppressed, and with color if it is wanted. Names and values are cut so that a line of
// the table takes no more than width columns; less than 60 is taken as 60.
func WriteTokens(w io.Writer, outcome cognito.Outcome, width int, color bool) error {
	t := tokenWriter{color: color}
	fmt.Fprintf(&t.text, "%s, version %s of the trigger\n", outcome.Source, outcome.Version)
	if outcome.Refused {
		t.text.WriteString("  no token: Cognito refuses the answer, and the sign-in fails\n")
	} else {
		t.claims(outcome, max(width, 60))
	}
	for _, finding := range outcome.Findings {
		style := t.mark(cognito.Changed)
		if finding.Severity != cognito.Warning {
			style = t.mark(cognito.Suppressed)
		}
		fmt.Fprintf(&t.text, "%s %s\n", t.style(style, "!"), terminal.Printable(finding.String()))
	}
	_, err := io.WriteString(w, t.text.String())
	return err
}

type tokenWriter struct {
	text  strings.Builder
	color bool
}

const (
	margin = "  " // before a line of the table
	gap    = "  " // between its columns
	signed = 2    // columns of a sign and a blank before a value
)

func (t *tokenWriter) claims(outcome cognito.Outcome, width int) {
	rows := outcome.Table().Rows
	names := ansi.StringWidth("claim")
	for _, row := range rows {
		names = max(names, ansi.StringWidth(terminal.Printable(row.Claim)))
	}
	names = min(names, width/3)
	space := (width - len(margin) - names - 2*len(gap) - 2*signed) / 2
	cut := func(text string, columns int) string { return ansi.Truncate(terminal.Printable(text), columns, "…") }
	id := "ID token"
	if outcome.IDToken == nil {
		id = "no ID token"
	}
	values := ansi.StringWidth(id)
	for _, row := range rows {
		values = max(values, ansi.StringWidth(cut(row.ID.Value, space)))
	}
	t.line(pad("claim", names), cognito.Cell{Value: pad(id, values)}, cognito.Cell{Value: "access token"})
	for _, row := range rows {
		row.ID.Value, row.Access.Value = pad(cut(row.ID.Value, space), values), cut(row.Access.Value, space)
		t.line(pad(cut(row.Claim, names), names), row.ID, row.Access)
	}
}

// line writes a line of the table.
func (t *tokenWriter) line(name string, id, access cognito.Cell) {
	line := margin + name + gap + t.cell(id) + gap + t.cell(access)
	t.text.WriteString(strings.TrimRight(line, " ") + "\n")
}

// cell is how a claim is shown: a sign and the value.
func (t *tokenWriter) cell(c cognito.Cell) string {
	sign := " "
	switch c.Mark {
	case cognito.Added:
		sign = "+"
	case cognito.Changed:
		sign = "~"
	case cognito.Suppressed:
		sign = "-"
	}
	return t.style(t.mark(c.Mark), sign+" "+c.Value)
}

func (t *tokenWriter) mark(mark cognito.Mark) ansi.Style {
	switch mark {
	case cognito.Added:
		return ansi.NewStyle().ForegroundColor(ansi.Green)
	case cognito.Changed:
		return ansi.NewStyle().ForegroundColor(ansi.Yellow)
	case cognito.Suppressed:
		return ansi.NewStyle().ForegroundColor(ansi.Red)
	}
	return nil
}

func (t *tokenWriter) style(style ansi.Style, text string) string {
	if !t.color || style == nil || text == "" {
		return text
	}
	return style.Styled(text)
}

// pad fills a text up to a number of columns.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(columns-ansi.StringWidth(text), 0))
}

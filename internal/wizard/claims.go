package wizard

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"

	"github.com/golam-cli/golam/generator"
)

// claims is a field of rows, each a claim and the user attribute that it is copied from. Its cells are edited in place by one text input;
// the row after the last is where a claim is added, and Enter on it, left empty, goes on to the next question.
type claims struct {
	*huh.Input // edits the cell at row, attribute

	option  generator.Option
	styles  styles
	help    string
	changed func(string)

	rows      []generator.Pair // the last is empty
	row       int
	attribute bool // the cell is the row's attribute, not its claim

	focused       bool
	width, height int
}

// newClaims starts with the pairs of value, which is well formed.
func newClaims(option generator.Option, styles styles, value string, changed func(string)) *claims {
	rows, _ := option.Pairing.Parse(value)
	cell := *styles.Styles
	cell.Focused.Base, cell.Blurred.Base = lipgloss.NewStyle(), lipgloss.NewStyle()
	c := &claims{
		Input:   huh.NewInput().Key(option.Key).Prompt(""),
		option:  option,
		styles:  styles,
		changed: changed,
		rows:    append(rows, generator.Pair{}),
		row:     len(rows),
	}
	c.Input.WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return &cell }))
	c.edit()
	return c
}

// text is the rows as --claims takes them.
func (c *claims) text() string { return pairs(c.rows) }

// pairs writes rows as --claims takes them, without empty ones.
func pairs(rows []generator.Pair) string {
	var written []string
	for _, row := range rows {
		if row = trim(row); row != (generator.Pair{}) {
			written = append(written, row.String())
		}
	}
	return strings.Join(written, ",")
}

func trim(row generator.Pair) generator.Pair {
	return generator.Pair{Left: strings.TrimSpace(row.Left), Right: strings.TrimSpace(row.Right)}
}

// blank reports whether nothing is typed into the current row.
func (c *claims) blank() bool { return trim(c.rows[c.row]) == generator.Pair{} }

// edit gives the current cell to the input.
func (c *claims) edit() {
	cell := &c.rows[c.row].Left
	if c.attribute {
		cell = &c.rows[c.row].Right
	}
	show(c.Input, huh.NewPointerAccessor(cell))
	c.fit()
	c.changed(c.text())
}

// fit makes the input as wide as the current cell, and says there what Enter does while it is empty.
func (c *claims) fit() {
	hint, width := "", c.claimWidth()
	switch {
	case c.attribute:
		hint, width = c.option.Pairing.Hint, c.attributeWidth()
		if suggested := c.option.Pairing.Suggest(strings.TrimSpace(c.rows[c.row].Left)); suggested != "" {
			hint = "enter takes " + suggested
		}
	case c.row == len(c.rows)-1:
		hint = "add a " + c.option.Pairing.Item + ", or enter to go on"
	}
	c.Input.Placeholder(cut(hint, width-1)).WithWidth(width)
}

// next goes one cell on. It says why the cell cannot be left, or that the field is to be.
func (c *claims) next() (problem string, leave bool) {
	row := trim(c.rows[c.row])
	switch {
	case c.blank() && c.row == len(c.rows)-1:
		return "", true
	case c.attribute && row.Right == "":
		c.rows[c.row].Right = c.option.Pairing.Suggest(row.Left)
	case !c.attribute && !c.blank():
		if problem := c.option.Pairing.CheckLeft(row.Left); problem != "" {
			return problem, false
		}
		c.attribute = true
		c.edit()
		return "", false
	}
	return c.move(1), false
}

// previous goes one cell back within a row, and reports whether it did.
func (c *claims) previous() bool {
	back := c.attribute
	c.attribute = false
	c.edit()
	return back
}

// move goes some rows down, or up, unless the row is not as Cognito wants it.
func (c *claims) move(by int) (problem string) {
	if !c.blank() {
		if problems := c.option.Check(c.text()); len(problems) > 0 {
			return problems[0]
		}
	}
	if last := len(c.rows) - 1; c.row == last && !c.blank() {
		c.rows = append(c.rows, generator.Pair{})
	} else if c.row < last && c.blank() {
		c.rows = slices.Delete(c.rows, c.row, c.row+1)
		by = min(by, 0)
	}
	c.row = min(max(c.row+by, 0), len(c.rows)-1)
	c.attribute = false
	c.edit()
	return ""
}

// remove takes the current row away.
func (c *claims) remove() {
	if c.row == len(c.rows)-1 {
		c.rows[c.row] = generator.Pair{}
	} else {
		c.rows = slices.Delete(c.rows, c.row, c.row+1)
	}
	c.attribute = false
	c.edit()
}

// Update edits the current cell.
func (c *claims) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	_, cmd := c.Input.Update(msg)
	c.changed(c.text())
	return c, cmd
}

// Focus shows the row for adding and the cursor.
func (c *claims) Focus() tea.Cmd {
	c.focused = true
	return c.Input.Focus()
}

// Blur hides them.
func (c *claims) Blur() tea.Cmd {
	c.focused = false
	return c.Input.Blur()
}

// WithWidth sets the columns that the field may take.
func (c *claims) WithWidth(width int) huh.Field {
	c.width = width
	c.fit()
	return c
}

// WithHeight sets the lines that the field may take; 0 is as many as it needs.
func (c *claims) WithHeight(height int) huh.Field {
	c.height = height
	return c
}

// claimWidth leaves room for the longest custom attribute.
func (c *claims) claimWidth() int     { return min(36, c.inner()-min(29, c.inner()/2)) }
func (c *claims) attributeWidth() int { return c.inner() - c.claimWidth() }

// inner is the width of a row without its mark.
func (c *claims) inner() int { return max(c.width-c.styles.Focused.Base.GetHorizontalFrameSize()-2, 2) }

// View draws as many rows around the current one as there is room for.
func (c *claims) View() string {
	styles, rows := c.styles.Focused, c.rows
	if !c.focused {
		styles = c.styles.Blurred
		if last := len(rows) - 1; trim(rows[last]) == (generator.Pair{}) {
			rows = rows[:last]
		}
	}
	lines := strings.Split(styles.Title.Render(paragraph(c.option.Question, c.inner()+2)), "\n")
	if c.help != "" {
		lines = append(lines, strings.Split(c.help, "\n")...)
	}
	lines = append(lines, c.styles.faint.Render("  "+pad(cut(c.option.Pairing.Left, c.claimWidth()), c.claimWidth())+cut(c.option.Pairing.Right, c.attributeWidth())))
	first, end := 0, len(rows)
	if room := max(c.height-len(lines), 1); c.height > 0 && len(rows) > room {
		first = min(max(c.row-room/2, 0), len(rows)-room)
		end = first + room
	}
	for i := first; i < end; i++ {
		mark, claim, attribute := "  ", pad(cut(rows[i].Left, c.claimWidth()-1), c.claimWidth()), cut(rows[i].Right, c.attributeWidth())
		if c.focused && i == c.row {
			mark = styles.SelectSelector.String()
			if c.attribute {
				attribute = c.Input.View()
			} else {
				claim = c.Input.View()
			}
		}
		lines = append(lines, mark+claim+attribute)
	}
	return styles.Base.Width(c.width).Render(strings.Join(lines, "\n"))
}

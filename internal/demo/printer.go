package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/terminal"
	"github.com/golam-cli/golam/internal/units"
)

// width of every line, in columns of a terminal.
const width = 80

// indent is where the words of a table begin, behind the sign of the row.
const indent = 4

// printer lays out and prints. What the writer answers is nobody's business here: whoever looks at the print sees that it ends.
type printer struct {
	out   io.Writer
	color bool
	own   [2]string // names of Cognito's own claims in the tokens of the event before
}

func newPrinter(out io.Writer, color bool) *printer { return &printer{out: out, color: color} }

func (p *printer) line(format string, args ...any) {
	fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (p *printer) style(style ansi.Style, text string) string {
	if !p.color || text == "" {
		return text
	}
	return style.Styled(text)
}

func (p *printer) bold(text string) string  { return p.style(ansi.NewStyle().Bold(), text) }
func (p *printer) faint(text string) string { return p.style(ansi.NewStyle().Faint(), text) }

// sign is how a mark is shown, and styled the way in which its row is colored.
func sign(mark cognito.Mark) string {
	switch mark {
	case cognito.Added:
		return "+"
	case cognito.Changed:
		return "~"
	case cognito.Suppressed:
		return "-"
	}
	return " "
}

func (p *printer) marked(mark cognito.Mark, text string) string {
	switch mark {
	case cognito.Added:
		return p.style(ansi.NewStyle().ForegroundColor(ansi.Green), text)
	case cognito.Changed:
		return p.style(ansi.NewStyle().ForegroundColor(ansi.Yellow), text)
	case cognito.Suppressed:
		return p.style(ansi.NewStyle().ForegroundColor(ansi.Red).Strikethrough(true), text)
	}
	return text
}

func (p *printer) title(text string) { p.line("%s %s\n", p.bold("golam demo:"), text) }

// step names what is begun, so that a slow one is seen, and returns what to call when it is done.
func (p *printer) step(name string) (done func(result string)) {
	start := time.Now()
	fmt.Fprintf(p.out, "  %s ", p.bold(pad(name, 9)))
	return func(result string) {
		taken := seconds(time.Since(start))
		p.line("%s%s", pad(result, width-12-len(taken)), p.faint(taken))
	}
}

// serving ends the steps and explains the signs.
func (p *printer) serving(events int) {
	p.line("  %s %d sample events on the local Lambda, with no container", p.bold(pad("serve", 9)), events)
	p.line("\nwhat the trigger does to claims:  %s  %s  %s",
		p.marked(cognito.Added, "+ added"), p.marked(cognito.Changed, "~ changed"), p.marked(cognito.Suppressed, "- suppressed"))
}

// event prints what one answer does.
func (p *printer) event(name string, outcome cognito.Outcome, result local.Result) {
	taken := milliseconds(result.Duration)
	if result.InitDuration > 0 {
		taken = milliseconds(result.InitDuration) + " init + " + taken
	}
	source := strings.TrimPrefix(outcome.Source, "TokenGeneration_")
	space := max(width-len(name)-len(source)-len(taken)-2, 1)
	p.line("\n%s  %s%s%s", p.bold(name), p.faint(source), strings.Repeat(" ", space), p.faint(taken))
	if outcome.Refused {
		p.line("    no token: Cognito refuses the answer, and the sign-in fails")
	} else {
		p.claims(outcome)
		p.lists(outcome)
	}
	for _, finding := range outcome.Findings {
		mark := cognito.Changed
		if finding.Severity != cognito.Warning {
			mark = cognito.Suppressed
		}
		p.wrapped(p.marked(mark, "!"), string(finding.Severity), finding.Subject+" "+finding.Text)
	}
}

// claims prints the claims that the trigger had a hand in, those of both tokens side by side. The scope has a line of its own elsewhere.
func (p *printer) claims(outcome cognito.Outcome) {
	rows := slices.DeleteFunc(outcome.Table().Rows, func(r cognito.Row) bool { return !r.Touched() || r.Claim == "scope" })
	if len(rows) == 0 {
		p.line("    the trigger changes no claim")
		return
	}
	names := labelWidth
	for _, row := range rows {
		names = max(names, min(ansi.StringWidth(terminal.Printable(row.Claim)), 24))
	}
	values := (width - indent - names - 4) / 2
	id := "ID token"
	if outcome.IDToken == nil {
		id = "no ID token"
	}
	p.line("    %s", p.faint(pad("claim", names)+"  "+pad(id, values)+"  "+"access token"))
	for _, row := range rows {
		mark := row.ID.Mark
		if !row.ID.Touched() {
			mark = row.Access.Mark
		}
		p.line("  %s %s  %s  %s", p.marked(mark, sign(mark)), pad(terminal.Printable(row.Claim), names), p.cell(row.ID, values), p.cell(row.Access, values))
	}
}

func (p *printer) cell(cell cognito.Cell, width int) string {
	text := ansi.Truncate(terminal.Printable(cell.Value), width, "…")
	return p.marked(cell.Mark, text) + strings.Repeat(" ", width-ansi.StringWidth(text))
}

// labelWidth is the width of the words before the lists.
const labelWidth = 14

// lists prints groups, scopes and, unless they are those of the event before, the names of Cognito's own claims.
func (p *printer) lists(outcome cognito.Outcome) {
	id, access := outcome.IDToken, outcome.AccessToken
	if id == nil || slices.Equal(id.Groups, access.Groups) {
		p.wrapped(" ", "groups", strings.Join(access.Groups, ", "))
	} else {
		p.wrapped(" ", "groups of ID", strings.Join(id.Groups, ", "))
		p.wrapped(" ", "of access", strings.Join(access.Groups, ", "))
	}
	scope, _ := access.Claim("scope")
	p.wrapped(p.marked(scope.Mark, sign(scope.Mark)), "scopes", strings.Join(access.Scopes, " "))
	if own := [2]string{own(id), own(access)}; own != p.own {
		p.own = own
		p.wrapped(" ", "ID token also", own[0])
		p.wrapped(" ", "access also", own[1])
	}
}

// own names the claims that are Cognito's own.
func own(token *cognito.Token) string {
	if token == nil {
		return ""
	}
	var names []string
	for _, claim := range token.Claims {
		if claim.Mark == cognito.Kept {
			names = append(names, claim.Name)
		}
	}
	return strings.Join(names, " ")
}

// wrapped prints a label and, if there is any, a text that may need several lines.
func (p *printer) wrapped(sign, label, text string) {
	if text == "" {
		return
	}
	text = ansi.Wrap(terminal.Printable(text), width-indent-labelWidth-2, "")
	for line := range strings.SplitSeq(text, "\n") {
		p.line("  %s %s  %s", sign, p.faint(pad(label, labelWidth)), line)
		sign, label = " ", ""
	}
}

func (p *printer) summary(summary Summary, first local.Result, later []time.Duration) {
	verdict := fmt.Sprintf("%d answers, all as Cognito wants them", summary.Events)
	if summary.Errors+summary.Warnings > 0 {
		verdict = fmt.Sprintf("%d answers with %d errors and %d warnings", summary.Events, summary.Errors, summary.Warnings)
	}
	p.line("\n%s", p.bold(verdict))
	p.line("first answer %s after %s of init, later ones %s in the median", milliseconds(first.Duration), milliseconds(first.InitDuration),
		milliseconds(median(later)))
}

// pad fills a text up to a number of columns, and cuts what is wider.
func pad(text string, columns int) string {
	text = ansi.Truncate(text, columns, "…")
	return text + strings.Repeat(" ", max(columns-ansi.StringWidth(text), 0))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", units.Milliseconds(d))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

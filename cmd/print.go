package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/golam-cli/golam/internal/terminal"
)

// Everything that golam prints goes through this file. Much of the text is not golam's own: logs and errors of functions, recordings, source
// code, file names. Commands print through stdout and stderr, which keep such text from controlling the terminal.

// stdout is standard output for results.
func (a *app) stdout() io.Writer { return terminal.Safe(a.streams.Out) }

// stderr is standard error for everything else.
func (a *app) stderr() io.Writer { return terminal.Safe(a.streams.Err) }

// styledStdout and styledStderr take escape sequences too. Whoever prints to them makes the text printable that is not golam's own.
func (a *app) styledStdout() io.Writer { return a.streams.Out }
func (a *app) styledStderr() io.Writer { return a.streams.Err }

// note prints a line that is no result.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr(), format+"\n", args...)
	}
}

func (a *app) printJSON(value any) error { return a.encode(value, "  ") }

// printJSONLine prints a value on one line.
func (a *app) printJSONLine(value any) error { return a.encode(value, "") }

func (a *app) encode(value any, indent string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(value)
	if err == nil {
		_, err = a.streams.Out.Write(terminal.PrintableJSON(text.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// printResponse prints what a function answered: byte for byte, but printable if somebody looks at it.
func (a *app) printResponse(response []byte) error {
	switch {
	case !a.streams.OutIsTerminal():
	case json.Valid(response):
		response = terminal.PrintableJSON(response)
	default:
		response = []byte(terminal.PrintableLines(string(response)))
	}
	if _, err := fmt.Fprintf(a.streams.Out, "%s\n", response); err != nil {
		return fmt.Errorf("print the response: %w", err)
	}
	return nil
}

// colorErr reports whether standard error may be colored.
func (a *app) colorErr() bool {
	return a.streams.ErrIsTerminal() && !a.noColor && a.streams.Getenv("NO_COLOR") == "" && a.streams.Getenv("TERM") != "dumb"
}

// errWidth is how many columns there are on standard error.
func (a *app) errWidth() int {
	if file, ok := a.streams.Err.(*os.File); ok && a.streams.ErrIsTerminal() {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 120
}

// progress is one line that says what goes on. Where there is no terminal it is a line now and then, so that a log shows that golam is at
// work.
type progress struct {
	app   *app
	shown bool
	last  time.Time // when a line was printed where there is no terminal
}

func (a *app) newProgress() *progress { return &progress{app: a, last: time.Now()} }

const clearLine = "\r\x1b[K"

// progressInterval is the time between two lines where there is no terminal.
const progressInterval = 10 * time.Second

func (p *progress) show(text string) {
	switch {
	case p.app.quiet:
	case p.app.streams.ErrIsTerminal() && p.app.streams.Getenv("TERM") != "dumb":
		p.shown = true
		fmt.Fprint(p.app.styledStderr(), clearLine+ansi.Truncate(terminal.Printable(text), p.app.errWidth()-1, ""))
	case time.Since(p.last) >= progressInterval:
		p.last = time.Now()
		p.app.note("%s", text)
	}
}

// end makes room for what follows.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.app.styledStderr(), clearLine)
	}
}

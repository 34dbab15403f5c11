// Package terminal knows the streams that golam talks through: which of them are terminals, whether to prompt, whether to color, and how
// wide a line may be, and which text is safe to print there. What is printed belongs to the commands.
package terminal

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Streams are a process's input and outputs. Results go to Out, everything else to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// Getenv reads the environment.
	Getenv func(string) string

	inTerminal, outTerminal, errTerminal bool
}

// System returns the streams of this process.
func System() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv,
		inTerminal: isTerminal(os.Stdin), outTerminal: isTerminal(os.Stdout), errTerminal: isTerminal(os.Stderr),
	}
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

// CanPrompt reports whether a person is there to answer: input and output are terminals, and neither CI nor GOLAM_NO_PROMPT is set.
func (s Streams) CanPrompt() bool {
	return s.inTerminal && s.outTerminal && !s.isSet("CI") && !s.isSet("GOLAM_NO_PROMPT")
}

// OutIsTerminal reports whether a person looks at Out.
func (s Streams) OutIsTerminal() bool { return s.outTerminal }

// ErrIsTerminal reports whether a person looks at Err.
func (s Streams) ErrIsTerminal() bool { return s.errTerminal }

// Color reports whether the terminal wants color: NO_COLOR and TERM=dumb say no.
func (s Streams) Color() bool {
	return s.outTerminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// Accessible reports whether the environment asks for prompts that a screen reader can follow.
func (s Streams) Accessible() bool { return s.isSet("ACCESSIBLE") || s.Getenv("TERM") == "dumb" }

// isSet takes "", "0" and "false" as not set.
func (s Streams) isSet(name string) bool {
	switch strings.ToLower(s.Getenv(name)) {
	case "", "0", "false":
		return false
	}
	return true
}

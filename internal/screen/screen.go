// Package screen shows on a terminal what golam watch does: the functions and their state, the last build, and what has happened, the
// latest at the bottom.
//
// What belongs here: drawing, scrolling and keys. What does not: what happens, which comes as [watch.Event] values, and what keys set off
// outside of the screen, which [Actions] do.
package screen

import (
	"context"
	"errors"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/golam-cli/golam/internal/watch"
)

// Actions are what keys set off.
type Actions struct {
	// Examples gives the names of events to invoke a function with.
	Examples func() ([]string, error)
	// Invoke invokes a function with an example. What comes of it is told as events; an error says why nothing does.
	Invoke func(ctx context.Context, function, example string) error
}

// Config says where to draw, and how.
type Config struct {
	In      io.Reader
	Out     io.Writer
	Environ []string
	Color   bool
	Actions Actions
}

// ErrInterrupted says that Ctrl-C ended the screen, and not the key to quit.
var ErrInterrupted = errors.New("interrupted")

// Screen is one on a terminal.
type Screen struct {
	ctx     context.Context
	program *tea.Program
}

// New makes a screen that is not drawn yet.
func New(ctx context.Context, config Config) *Screen {
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(config.In), tea.WithOutput(config.Out), tea.WithEnvironment(config.Environ),
		tea.WithoutSignalHandler(),
	}
	if !config.Color {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	return &Screen{ctx, tea.NewProgram(newModel(ctx, config.Actions), options...)}
}

// Tell shows an event. It waits while the screen is not yet drawn, and drops the event once it has ended.
func (s *Screen) Tell(e watch.Event) { s.program.Send(e) }

// Run draws until a key or ctx ends it. The terminal is as it was then.
func (s *Screen) Run() error {
	end, err := s.program.Run()
	switch {
	case errors.Is(err, tea.ErrProgramKilled) && s.ctx.Err() != nil: // a panic, or a terminal that fails, comes as the same error
		return ErrInterrupted
	case err != nil:
		return fmt.Errorf("draw on the terminal: %w", err)
	}
	if m, ok := end.(*model); ok && m.interrupted {
		return ErrInterrupted
	}
	return nil
}

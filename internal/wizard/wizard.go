// Package wizard asks a person on a terminal for the answers that make a project. It holds the questions' looks and the way through them,
// as pages of a form or as plain lines; the questions themselves and the rules for answers are the generator's. It writes no file. It is
// the only package that knows huh and the libraries below it.
package wizard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
)

// ErrAborted says that the person, a signal or the end of the input stopped the wizard before its last question. Nothing was made.
var ErrAborted = errors.New("stopped before the last question: nothing was made")

// Config is what a wizard needs.
type Config struct {
	// In and Out are the terminal.
	In  io.Reader
	Out io.Writer
	// Accessible asks in plain lines, without colour or cursor movement, as screen readers and terminals without a cursor need it.
	Accessible bool
	// Colour may be used. Without it, everything can still be told apart.
	Colour bool
	// Given answers are shown, and not asked for.
	Given generator.Answers
	// Dir is the folder to make, or empty. Its last element is proposed as the name.
	Dir string
	// Preview says what the answers will make. Its error is shown, and keeps the wizard from completing until an answer changes.
	Preview func(generator.Spec) (Summary, error)
}

// Summary is what answers will make, for the last page.
type Summary struct {
	// Dir is the folder to make.
	Dir string
	// Files are the paths of the project, slash separated.
	Files []string
	// Command makes the same project without questions: lines of at most width columns to paste into a shell. They are shown as they are.
	Command func(width int) []string
}

// Run asks every question that is not given, and then for confirmation. The answers are to every option; the caller validates them with
// [generator.Resolve]. The error is [ErrAborted] where the person stopped or the context ended, and a [generator.InvalidError] where an
// answer given beforehand is invalid.
//
// While the form is on the screen no key raises a signal, and Run handles none: the context has to end with SIGTERM.
func Run(ctx context.Context, config Config) (generator.Answers, error) {
	asked, err := newInterview(config)
	if err != nil {
		return nil, err
	}
	if config.Accessible || unsized(config.Out) {
		err = askLines(ctx, config.In, config.Out, asked)
	} else {
		err = askPages(ctx, config, asked)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w (%w)", ErrAborted, context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	return asked.answers, nil
}

// unsized tells a terminal that does not know how large it is, such as a serial console: a form has no room there.
func unsized(out io.Writer) bool {
	file, ok := out.(interface{ Fd() uintptr })
	if !ok {
		return false
	}
	width, height, err := term.GetSize(int(file.Fd()))
	return err == nil && (width == 0 || height == 0)
}

// interview is the questions to ask and the answers so far, whichever way they are asked.
type interview struct {
	pages   []page
	given   generator.Answers
	answers generator.Answers // to every option: given, typed or the default
	preview func(generator.Spec) (Summary, error)
}

// page is what is asked together.
type page struct {
	title   string
	options []generator.Option // those that are not given
}

func newInterview(config Config) (*interview, error) {
	// What is given is judged before anything is asked. A name may still be missing then.
	judged := generator.Answers{"name": "asked-later"}
	maps.Copy(judged, config.Given)
	if _, err := kinds.All().Resolve(judged); err != nil {
		return nil, err
	}
	asked := &interview{given: config.Given, answers: generator.Answers{}, preview: config.Preview}
	for _, option := range kinds.All().Options() {
		i := slices.IndexFunc(asked.pages, func(p page) bool { return p.title == option.Page })
		if i < 0 {
			i = len(asked.pages)
			asked.pages = append(asked.pages, page{title: option.Page})
		}
		value, given := config.Given[option.Key]
		switch {
		case given:
		case option.Form == generator.Choose && len(option.Choices) == 1:
			value = option.Default // a single choice is no question
		default:
			value = option.Default
			asked.pages[i].options = append(asked.pages[i].options, option)
		}
		asked.answers[option.Key] = value
	}
	asked.pages = slices.DeleteFunc(asked.pages, func(p page) bool { return len(p.options) == 0 })
	if asked.answers["name"] == "" && config.Dir != "" {
		dir, err := filepath.Abs(config.Dir)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", config.Dir, err)
		}
		asked.answers["name"] = filepath.Base(dir)
	}
	if _, given := config.Given["module"]; !given {
		asked.answers["module"] = generator.DefaultModule(asked.answers["name"])
	}
	return asked, nil
}

// set takes an answer. The module follows the name until it is something of its own.
func (i *interview) set(key, value string) {
	_, given := i.given["module"]
	if key == "name" && !given && i.answers["module"] == generator.DefaultModule(i.answers["name"]) {
		i.answers["module"] = generator.DefaultModule(value)
	}
	i.answers[key] = value
}

// summary says what the answers make.
func (i *interview) summary() (Summary, error) {
	spec, err := kinds.All().Resolve(i.answers)
	if err != nil {
		return Summary{}, err
	}
	return i.preview(spec)
}

// flags returns the flags that answer options of a page, or of all pages where title is empty.
func (i *interview) flags(title string) []string {
	var flags []string
	for _, option := range kinds.All().Options() {
		value, given := i.given[option.Key]
		switch {
		case !given || title != "" && title != option.Page:
		case option.IsSwitch() && value == "true":
			flags = append(flags, "--"+option.Key)
		default:
			flags = append(flags, "--"+option.Key+" "+value)
		}
	}
	return flags
}

// spoken returns an option's choices, in their order, with what they are called on the screen as their values. A switch is a question
// that is answered no or yes; false and true are for its flag.
func spoken(option generator.Option) []generator.Choice {
	choices := slices.Clone(option.Choices)
	if !option.IsSwitch() {
		return choices
	}
	for i, word := range []string{"no", "yes"} {
		choices[i].Value = word
		if choices[i].Help == word {
			choices[i].Help = ""
		}
		choices[i].Help = strings.TrimPrefix(choices[i].Help, word+": ")
	}
	return choices
}

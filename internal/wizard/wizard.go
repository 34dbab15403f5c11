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
)

// ErrAborted says that the person, a signal or the end of the input stopped the wizard before its last question. Nothing was made.
var ErrAborted = errors.New("stopped before the last question: nothing was made")

// Config is what a wizard needs.
type Config struct {
	// In and Out are the terminal.
	In  io.Reader
	Out io.Writer
	// Accessible asks in plain lines, without color or cursor movement, as screen readers and terminals without a cursor need it.
	Accessible bool
	// Color may be used. Without it, everything can still be told apart.
	Color bool
	// Catalog has the kinds of functions to choose from.
	Catalog generator.Catalog
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

// Run asks every question that is not given, and then for confirmation. The answers are to every option of a project
// with one function of the chosen kind; the caller validates them with [generator.Catalog.Resolve]. The error is [ErrAborted] where the person stopped or the context ended, and a [generator.InvalidError] where an
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
	return asked.result(), nil
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
	catalog generator.Catalog
	kind    string // the one that the pages are about
	pages   []page
	given   generator.Answers
	answers generator.Answers // given, typed or the default: to every option of the kinds that were chosen so far
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
	if _, err := config.Catalog.Resolve(judged); err != nil {
		return nil, err
	}
	asked := &interview{catalog: config.Catalog, given: config.Given, answers: generator.Answers{}, preview: config.Preview}
	asked.arrange()
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

// options are those of a project with one function of the chosen kind.
func (i *interview) options() []generator.Option {
	return i.catalog.OptionsOf(i.answers[generator.KindKey])
}

// arrange puts the questions about the chosen kind on pages, each with its default unless it has been answered.
func (i *interview) arrange() {
	if _, answered := i.answers[generator.KindKey]; !answered {
		i.answers[generator.KindKey] = i.given[generator.KindKey]
	}
	options := i.options()
	i.pages = nil
	for _, option := range options {
		at := slices.IndexFunc(i.pages, func(p page) bool { return p.title == option.Page })
		if at < 0 {
			at = len(i.pages)
			i.pages = append(i.pages, page{title: option.Page})
		}
		value, given := i.given[option.Key]
		if before, answered := i.answers[option.Key]; !given {
			value = option.Default
			if answered && (option.Form != generator.Choose || len(option.Check(before)) == 0) { // another kind may have other choices
				value = before
			}
		}
		if !given && (option.Form != generator.Choose || len(option.Choices) > 1) { // a single choice is no question
			i.pages[at].options = append(i.pages[at].options, option)
		}
		i.answers[option.Key] = value
	}
	i.pages = slices.DeleteFunc(i.pages, func(p page) bool { return len(p.options) == 0 })
	i.kind = i.answers[generator.KindKey]
}

// result are the answers about the chosen kind.
func (i *interview) result() generator.Answers {
	answers := generator.Answers{}
	for _, option := range i.options() {
		answers[option.Key] = i.answers[option.Key]
	}
	return answers
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
	spec, err := i.catalog.Resolve(i.result())
	if err != nil {
		return Summary{}, err
	}
	return i.preview(spec)
}

// flags returns the flags that answer options of a page, or of all pages where title is empty.
func (i *interview) flags(title string) []string {
	var flags []string
	for _, option := range i.options() {
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

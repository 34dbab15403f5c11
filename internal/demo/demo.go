// Package demo shows what golam does from beginning to end: it generates a project, builds its function, serves the project's sample
// events on the local Lambda, and prints what Cognito would put into each token.
//
// What belongs here: that one sequence and what it prints. What a project, a Lambda or Cognito is, other packages know.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/generator/kinds"
	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/local"
)

// Options of a demonstration.
type Options struct {
	// Trigger is the version of the trigger, a choice of the option of that name.
	Trigger string
	// Keep leaves the generated project where it is.
	Keep bool
	// Out takes what is printed, in lines of at most 80 columns.
	Out io.Writer
	// Color allows escape sequences.
	Color bool
}

// Summary says how a demonstration ended.
type Summary struct {
	// Events is how many were answered.
	Events int
	// Errors and Warnings count the findings of all answers.
	Errors, Warnings int
	// Project is the folder of the generated project if it was kept.
	Project string
}

const (
	projectName = "demo"
	closeTime   = 2 * time.Second
)

// Run generates, builds, serves and prints. It leaves nothing behind but a project that is to be kept, whether it succeeds, fails or ctx
// ends. That answers have findings is no error; a trigger that does not exist is a [generator.InvalidError].
func Run(ctx context.Context, options Options) (summary Summary, err error) {
	spec, err := kinds.All().Resolve(generator.Answers{"name": projectName, "trigger": options.Trigger})
	if err != nil {
		return Summary{}, err
	}
	folder, err := os.MkdirTemp("", "golam-demo-")
	if err != nil {
		return Summary{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	project, scratch := filepath.Join(folder, projectName), filepath.Join(folder, "build")
	defer func() {
		remove := folder
		if options.Keep && err == nil {
			remove, summary.Project = scratch, project
		}
		if removeErr := os.RemoveAll(remove); removeErr != nil {
			err = errors.Join(err, fmt.Errorf("remove what was built: %w", removeErr))
		}
	}()

	function := spec.Functions[0]
	screen := newPrinter(options.Out, options.Color)
	screen.title("a Cognito token customizer, trigger version " + strings.TrimPrefix(function.Answers["trigger"], "v"))
	if err := generate(ctx, screen, project, spec); err != nil {
		return Summary{}, err
	}
	bootstrap, err := compile(ctx, screen, project, scratch, function)
	if err != nil {
		return Summary{}, err
	}
	return serve(ctx, screen, project, bootstrap, function)
}

func generate(ctx context.Context, screen *printer, project string, spec generator.Spec) error {
	done := screen.step("generate")
	tree, err := generator.Render(spec)
	if err != nil {
		return fmt.Errorf("generate the project: %w", err)
	}
	if _, err := generator.Write(ctx, project, tree, generator.WriteOptions{}); err != nil {
		return fmt.Errorf("generate the project: %w", err)
	}
	done(fmt.Sprintf("%d files: code, tests, infrastructure, CI", len(tree)))
	return nil
}

// compile makes the function's bootstrap with the recipe of the project's Makefile, but for this machine.
func compile(ctx context.Context, screen *printer, project, scratch string, function generator.Function) (string, error) {
	done := screen.step("build")
	host, err := build.ForHost(ctx, build.HostOptions{Dir: project, Function: function.Name, Cache: scratch, Environ: os.Environ()})
	if err != nil {
		return "", fmt.Errorf("build the function: %w", err)
	}
	info, err := os.Stat(host.Bootstrap)
	if err != nil {
		return "", fmt.Errorf("build the function: %w", err)
	}
	done(fmt.Sprintf("one static binary for %s/%s, %.1f MB", runtime.GOOS, runtime.GOARCH, float64(info.Size())/1e6))
	return host.Bootstrap, nil
}

// serve sends each sample event of the project to its function and prints what becomes of the tokens.
func serve(ctx context.Context, screen *printer, project, bootstrap string, function generator.Function) (summary Summary, err error) {
	events, err := filepath.Glob(filepath.Join(project, "events", function.Name, "*.json"))
	if err != nil {
		return Summary{}, fmt.Errorf("look for the project's sample events: %w", err)
	}
	if len(events) == 0 {
		return Summary{}, errors.New("the project has no sample events: put some into events/" + function.Name)
	}
	lambda, err := local.Start(ctx, local.Config{
		Region: "eu-west-1",
		Functions: []local.Function{{
			Name: function.Name, Bootstrap: bootstrap, Dir: project,
			MemorySize: function.Memory, Timeout: time.Duration(function.Timeout) * time.Second,
			Env: map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"},
		}},
	})
	if err != nil {
		return Summary{}, fmt.Errorf("start the local Lambda: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		err = errors.Join(err, lambda.Close(closing))
	}()
	screen.serving(len(events))

	var later []time.Duration
	var first local.Result
	for i, path := range events {
		event, err := os.ReadFile(path)
		if err != nil {
			return Summary{}, fmt.Errorf("read a sample event: %w", err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		result, err := lambda.Invoke(ctx, function.Name, local.Invocation{Payload: event, Report: true})
		if err != nil {
			return Summary{}, fmt.Errorf("invoke the function with %s: %w", name, err)
		}
		if result.FunctionError != "" {
			return Summary{}, fmt.Errorf("the function fails on %s: %s\n%s", name, result.Payload, result.Report.LogTail)
		}
		outcome, err := cognito.Apply(event, result.Payload)
		if err != nil {
			return Summary{}, fmt.Errorf("%s: %w", name, err)
		}
		screen.event(name, outcome, result)
		if i == 0 {
			first = result
		} else {
			later = append(later, result.Duration)
		}
		summary.count(outcome)
	}
	screen.summary(summary, first, later)
	return summary, nil
}

func (s *Summary) count(outcome cognito.Outcome) {
	s.Events++
	for _, finding := range outcome.Findings {
		if finding.Severity != cognito.Warning {
			s.Errors++
		} else {
			s.Warnings++
		}
	}
}

// median of durations; 0 of none.
func median(durations []time.Duration) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[len(sorted)/2]
}

package benchmark

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/golam-cli/golam/internal/local"
)

// Subject is a function to measure.
type Subject struct {
	// Label tells it apart in errors.
	Label    string
	Function local.Function
	// Event is JSON.
	Event []byte
	// TraceID is the trace header of each invocation, or empty for new ones that are not sampled.
	TraceID string
}

// Plan says how much to measure.
type Plan struct {
	// Rounds is how many times each subject is started.
	Rounds int
	// Invocations follow the first one in each execution environment.
	Invocations int
	// Concurrency is how many execution environments of a subject are started, and invoked, at the same time.
	Concurrency int
	// Progress is told how many of how many rounds are done; it may be nil.
	Progress func(done, all int)
}

// Round is what the execution environments that worked at the same time took.
type Round []Sample

// Sample is what one execution environment took.
type Sample struct {
	// Init is from the start of the process to its first request for an event, First to the first answer.
	Init, First time.Duration
	// CPU is the processor time of the cold start: the init phase and the first invocation. 0 where it can't be measured.
	CPU time.Duration
	// Memory is the most resident memory in bytes, 0 where it can't be measured.
	Memory int64
	// Billed is what Lambda bills for the cold start.
	Billed time.Duration
	// Warm are the invocations after the first one.
	Warm []Invocation
}

// Invocation is one warm invocation.
type Invocation struct {
	// Duration is from handing over the event to the answer.
	Duration time.Duration
	// CPU is the processor time since the invocation before.
	CPU    time.Duration
	Billed time.Duration
	// Phase is until the runtime and the extensions were ready for the next event. Rounded up, it is Billed.
	Phase time.Duration
}

// FailureError says that a function failed, so that there is nothing to measure.
type FailureError struct {
	// Label is the subject's.
	Label string
	// Invocation counts from 1 in its execution environment.
	Invocation int
	// Reason is the function's or Lambda's.
	Reason string
}

func (e *FailureError) Error() string {
	return fmt.Sprintf("%s failed at invocation %d of an execution environment, so there is nothing to measure: %s: see it with golam invoke",
		e.Label, e.Invocation, e.Reason)
}

// Measure runs subjects in turns, in a new random order each round, and returns the rounds of each. A round that does not count comes
// first: it fills the caches of the system. No process is left when it returns.
//
// Errors: [FailureError], the context's, and what the machine could not do.
func Measure(ctx context.Context, subjects []Subject, plan Plan) ([][]Round, error) {
	results := make([][]Round, len(subjects))
	all := plan.Rounds + 1
	for round := range all {
		for _, i := range rand.Perm(len(subjects)) {
			measured, err := subjects[i].round(ctx, plan)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				results[i] = append(results[i], measured)
			}
		}
		if plan.Progress != nil {
			plan.Progress(round+1, all)
		}
	}
	return results, nil
}

// round starts the execution environments of one round. Each is of a Lambda of its own, so that every first invocation is a cold one.
func (s Subject) round(ctx context.Context, plan Plan) (Round, error) {
	round := make(Round, plan.Concurrency)
	group, ctx := errgroup.WithContext(ctx)
	for i := range round {
		group.Go(func() (err error) {
			round[i], err = s.sample(ctx, plan.Invocations)
			return err
		})
	}
	return round, group.Wait()
}

// closeTime is how long a function may take to end.
const closeTime = 2 * time.Second

func (s Subject) sample(ctx context.Context, invocations int) (sample Sample, err error) {
	lambda, err := local.Start(ctx, local.Config{Functions: []local.Function{s.Function}})
	if err != nil {
		return Sample{}, fmt.Errorf("start the local Lambda: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		err = errors.Join(err, lambda.Close(closing))
	}()
	for i := range 1 + invocations {
		result, err := lambda.Invoke(ctx, s.Function.Name, local.Invocation{Payload: s.Event, TraceID: s.TraceID, Report: true})
		switch {
		case ctx.Err() != nil:
			return Sample{}, fmt.Errorf("measure %s: %w", s.Label, ctx.Err())
		case err != nil:
			return Sample{}, fmt.Errorf("measure %s: %w", s.Label, err)
		case result.FunctionError != "" || result.Report.ErrorType != "":
			return Sample{}, &FailureError{s.Label, i + 1, reason(result)}
		}
		report := result.Report
		sample.Memory = max(sample.Memory, report.MaxMemory)
		if i == 0 {
			if result.InitDuration == 0 {
				return Sample{}, &FailureError{s.Label, i + 1, "its init phase failed and was repeated"}
			}
			sample.Init, sample.First = result.InitDuration, result.InitDuration+result.Duration
			sample.CPU, sample.Billed = report.InitCPU+report.CPU, report.BilledDuration
			continue
		}
		if result.Cold {
			return Sample{}, &FailureError{s.Label, i, "its process ended afterwards"}
		}
		sample.Warm = append(sample.Warm, Invocation{
			Duration: result.Duration, CPU: report.CPU, Billed: report.BilledDuration, Phase: report.Duration,
		})
	}
	return sample, nil
}

// reason is why an invocation failed, in a few words.
func reason(result local.Result) string {
	var failure struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if result.FunctionError != "" {
		_ = json.Unmarshal(result.Payload, &failure)
	}
	if failure.Type == "" {
		failure.Type = result.Report.ErrorType
	}
	if text := strings.Trim(failure.Type+": "+failure.Message, ": "); text != "" {
		return text
	}
	return "an error of unknown form"
}

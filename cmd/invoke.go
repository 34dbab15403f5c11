package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/cognito"
	"github.com/golam-cli/golam/internal/invoke"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
	"github.com/golam-cli/golam/internal/settings"
)

// invokeOptions are the parsed command line of `golam invoke`.
type invokeOptions struct {
	invoke.Options

	event, data, example string
	list                 bool
	record, replay       string
	clientContext        string
	identity             string
	envFile              string
	env                  []string
}

func (a *app) invokeCommand() *cobra.Command {
	var options invokeOptions
	command := &cobra.Command{
		Use:   "invoke [FUNCTION]",
		Short: "Run one event through a function on a local Lambda",
		Long: `Run one event through a function of the project in the current folder, on a local Lambda without containers. golam first builds what is out of
date. It uses the golam watch that serves the project, if there is one, unless you give --here, --env, --env-file, --timeout, --memory or
--identity. The response goes to standard output, everything else to standard error.

For a pre token generation event, golam judges the answer as Cognito would, and shows the claims of each token. The exit code is 1 if the
function fails, if Cognito would refuse the answer, or if the user would lose groups that the answer does not mention.`,
		Example: `  golam invoke --example authentication
  golam invoke --event event.json --record answer.json
  golam invoke --replay answer.json
  golam invoke token-customizer --event - < event.json
  golam invoke --list`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse.New("golam invoke takes one function: remove %q", args[1:])
			}
			return nil
		},
		ValidArgsFunction: completeFunctions(1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				options.Function = args[0]
			}
			options.Dir, options.Environ = ".", os.Environ()
			if options.list {
				return a.listExamples(options.Dir)
			}
			return a.invoke(command.Context(), options, command.Flags().Changed)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&options.event, "event", "", "read the event from a `FILE`; - is standard input")
	flags.StringVar(&options.data, "data", "", "the event itself, as `JSON`")
	flags.StringVar(&options.example, "example", "", "use the event with this `NAME` from the project's events folder, or one of golam's")
	flags.BoolVar(&options.list, "list", false, "list the examples")
	flags.StringVar(&options.record, "record", "", "save the event and the response in a `FILE`")
	flags.StringVar(&options.replay, "replay", "", "send the event of a recording in a `FILE`, and fail if the response differs")
	flags.StringVar(&options.clientContext, "client-context", "", "the client context, as a `JSON` object")
	flags.StringVar(&options.identity, "identity", "", "the caller's Cognito identity, as `JSON` with cognitoIdentityId and cognitoIdentityPoolId")
	flags.StringVar(&options.TraceID, "trace", "", "the `HEADER` X-Amzn-Trace-Id")
	flags.StringVar(&options.envFile, "env-file", "", "set environment variables from a `FILE` of NAME=value lines; - is standard input")
	flags.StringArrayVar(&options.env, "env", nil, "set an environment variable of the function, `NAME=VALUE`, or NAME to pass your own value; may be repeated")
	limitFlags(flags, &options.Timeout, &options.MemorySize)
	flags.StringVar(&options.Address, "address", "", "invoke through the Invoke API at a `URL`, such as http://127.0.0.1:9001, and build nothing")
	flags.BoolVar(&options.Here, "here", false, "run the function in a process of its own, even if a golam watch serves the project")
	a.completeExamples(command)
	return command
}

// invokeResult is what `golam invoke --output json` prints.
type invokeResult struct {
	invoke.Result
	Response json.RawMessage `json:"response,omitempty"`
	// ResponseText is there instead if the response is not JSON.
	ResponseText string        `json:"responseText,omitempty"`
	Replay       *invokeReplay `json:"replay,omitempty"`
}

type invokeReplay struct {
	Same bool `json:"same"`
	// Diff is a unified diff of the recorded response and the present one.
	Diff string `json:"diff,omitempty"`
}

func (a *app) invoke(ctx context.Context, options invokeOptions, given func(string) bool) error {
	recording, err := a.prepareInvoke(ctx, &options, given)
	if err != nil {
		return err
	}
	if !a.quiet {
		options.Log = local.LogTo(a.stderr())
		options.Found = func(url string) { a.note("through the golam watch at %s", url) }
		options.Slow = func() { a.note("still building: the first build of a function takes longest") }
	}
	result, err := invoke.Run(ctx, options.Options)
	if err != nil {
		return err
	}
	printed := invokeResult{Result: result}
	if json.Valid(result.Response) {
		printed.Response = result.Response
	} else {
		printed.ResponseText = string(result.Response)
	}
	if options.replay != "" {
		diff := recording.Diff(result)
		printed.Replay = &invokeReplay{Same: diff == "", Diff: diff}
	}
	if err := a.printInvoke(printed); err != nil {
		return err
	}
	if options.record != "" {
		made, err := invoke.Record(options.Options, result)
		if err == nil {
			err = made.Save(options.record)
		}
		if err != nil {
			return err
		}
	}
	return printed.verdict(options.replay)
}

// verdict is the error of an invocation that went through. A replay is about the recording alone: one of a failure is to fail again.
func (r invokeResult) verdict(replay string) error {
	switch {
	case replay != "" && !r.Replay.Same:
		return fmt.Errorf("the answer differs from the one in %s: if it is right now, record it again", replay)
	case replay != "":
		return nil
	case r.FunctionError != "":
		failure := r.Failure()
		text := strings.Trim(failure.Type+": "+failure.Message, ": ")
		if failure.Type == "Runtime.ExitError" && r.Reason != "" {
			// The process has ended without telling Lambda why. It may have told its log.
			text += "\nits log ends with: " + r.Reason
		}
		return fmt.Errorf("the function failed: %s", text)
	case r.Report != nil && r.Report.Error != "":
		return fmt.Errorf("the function failed after its answer: %s", r.Report.Error)
	case r.Outcome != nil && r.Outcome.OnlyLosses():
		return errors.New("the answer makes the user lose what it leaves out: see above; Cognito accepts it")
	case r.Outcome != nil && r.Outcome.Failed():
		return errors.New("the answer asks for what Cognito would refuse")
	}
	return nil
}

// prepareInvoke finds the event and parses what flags hold. It tells everything that is wrong at once. The recording is that of --replay.
func (a *app) prepareInvoke(ctx context.Context, options *invokeOptions, given func(string) bool) (invoke.Recording, error) {
	var sources []string
	for _, flag := range []string{"event", "data", "example", "replay"} {
		if given(flag) {
			sources = append(sources, "--"+flag)
		}
	}
	var problems []string
	problem := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	// found gathers what is misuse, and returns whatever else went wrong.
	found := func(err error) error {
		if misuse.Is(err) {
			problems = append(problems, err.Error())
			return nil
		}
		return err
	}
	if !given("address") && (len(sources) == 0 || given("example")) {
		// Without a project there is neither a function nor an event of its own, which says more than the rest.
		if _, err := build.Open(options.Dir); err != nil {
			if err := found(err); err != nil {
				return invoke.Recording{}, err
			}
		}
	}
	problem(len(sources) == 0, "there is no event: give --event FILE, --data JSON or --example NAME; golam invoke --list names the examples")
	problem(len(sources) > 1, "%s contradict each other: give one", strings.Join(sources, " and "))
	problem(given("replay") && given("record"), "--replay and --record contradict each other: to record again, give the event")
	problem(given("replay") && (given("client-context") || given("identity") || given("trace")),
		"--replay sends the recorded client context, identity and trace: leave the others out")
	problem(given("address") && options.Here, "--address and --here contradict each other: give one")
	problem(given("address") && options.Address == "", "--address is empty: use an address such as http://127.0.0.1:9001")
	problem(given("address") && given("env-file"), "--env-file is for a function that runs here: leave it out, or leave --address out")
	problem(options.event == "-" && options.envFile == "-", "--event and --env-file cannot both read standard input: use a file for one")
	options.ClientContext = []byte(options.clientContext)
	options.Here = options.Here || given("env-file")
	var recording invoke.Recording
	var err error
	for _, check := range []func() error{
		func() error { return checkLimits(given, &options.Timeout, &options.MemorySize) },
		func() error {
			if given("record") {
				return invoke.CheckRecord(options.record)
			}
			return nil
		},
		func() (err error) {
			if given("identity") {
				options.Identity, err = invoke.ParseIdentity(options.identity)
			}
			return err
		},
		func() (err error) {
			if options.envFile == "-" && len(problems) > 0 {
				return nil // standard input is not waited for in vain
			}
			options.Env, err = a.functionEnvironment(ctx, options.envFile, options.env)
			return err
		},
		func() (err error) { options.Cache, err = userCache(); return err },
		func() (err error) {
			switch {
			case len(sources) != 1, options.event == "-" && len(problems) > 0:
			case given("event"):
				options.Event, err = a.readEvent(ctx, options.event)
			case given("data"):
				options.Event = []byte(options.data)
			case given("example"):
				options.Event, err = invoke.ReadExample(options.Dir, options.Function, options.example)
			default:
				if recording, err = invoke.LoadRecording(options.replay); err == nil {
					recording.Apply(&options.Options)
				}
			}
			return err
		},
		func() error {
			if options.Event == nil {
				return nil
			}
			return options.Check()
		},
	} {
		if err = found(check()); err != nil {
			return invoke.Recording{}, err
		}
	}
	if len(problems) > 0 {
		return invoke.Recording{}, misuse.New("%s", strings.Join(problems, "\n"))
	}
	return recording, nil
}

func userCache() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder: %w", err)
	}
	return cache, nil
}

// readEvent reads an event from a file.
func (a *app) readEvent(ctx context.Context, name string) ([]byte, error) {
	event, err := a.readInput(ctx, "the event", name, quotas.MaxPayload+int64(len(invoke.ByteOrderMark)))
	return invoke.TrimMark(event), err
}

// functionEnvironment reads the environment variables of --env-file and --env. The latter win.
func (a *app) functionEnvironment(ctx context.Context, file string, pairs []string) (map[string]string, error) {
	env := map[string]string{}
	if file != "" {
		text, err := a.readInput(ctx, "the environment file", file, settings.MaxEnv)
		if err == nil && len(text) > settings.MaxEnv {
			err = misuse.New("the environment file: it has more than %d bytes", settings.MaxEnv)
		}
		if err != nil {
			return nil, err
		}
		if env, err = settings.ParseEnv(text); err != nil {
			return nil, misuse.New("the environment file: %v", err)
		}
	}
	given, err := a.environment(pairs)
	maps.Copy(env, given)
	return env, err
}

// environment reads NAME=VALUE, and NAME for a variable of golam's own, if it has it.
func (a *app) environment(pairs []string) (map[string]string, error) {
	env := map[string]string{}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if name == "" {
			return nil, misuse.New("--env %q: use NAME=VALUE, or NAME for a variable of golam's own", pair)
		}
		if !found {
			value = a.streams.Getenv(name)
		}
		if found || value != "" {
			env[name] = value
		}
	}
	return env, nil
}

func (a *app) printInvoke(result invokeResult) error {
	if outcome := result.Outcome; outcome != nil {
		if a.quiet {
			for _, finding := range outcome.Findings {
				if finding.Severity != cognito.Warning {
					fmt.Fprintf(a.stderr(), "! %s\n", finding)
				}
			}
		} else if err := invoke.WriteTokens(a.styledStderr(), *outcome, a.errWidth(), a.colorErr()); err != nil {
			return fmt.Errorf("print the tokens: %w", err)
		}
	}
	if result.Replay != nil {
		if result.Replay.Same {
			a.note("the answer is the recorded one")
		}
		fmt.Fprint(a.stderr(), result.Replay.Diff)
	}
	if a.output == "json" {
		return a.printJSON(result)
	}
	return a.printResponse(result.Result.Response)
}

// examplesResult is what `golam invoke --list --output json` prints.
type examplesResult struct {
	Examples []invoke.Example `json:"examples"`
}

func (a *app) listExamples(dir string) error {
	examples, err := invoke.Examples(dir)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.printJSON(examplesResult{examples})
	}
	var list bytes.Buffer
	for _, example := range examples {
		from := example.Path
		if from == "" {
			from = "of golam"
		}
		fmt.Fprintf(&list, "%-36s %s\n", example.Name, from)
	}
	if _, err := a.stdout().Write(list.Bytes()); err != nil {
		return fmt.Errorf("print the examples: %w", err)
	}
	return nil
}

package judges

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

const (
	account    = "123456789012" // moto's
	customizer = "arn:aws:lambda:us-east-1:" + account + ":function:customizer"
	other      = "arn:aws:lambda:us-east-1:" + account + ":function:other"
)

// userPool is an input of CreateUserPool with every kind of setting but those that moto gets wrong on update (it forgets
// UsernameAttributes, AliasAttributes and UsernameConfiguration, which UpdateUserPool does not take).
//
//go:embed userpool.json
var userPool []byte

// AttachScript runs the project's scripts/attach.sh with the AWS CLI against a moto server. Like Amazon Cognito, moto gives a setting
// that an update leaves out its default, so a script that forgets one changes the pool.
func (j Judges) AttachScript(ctx context.Context, project string) error {
	return j.tryAttach(ctx, project, []attachStep{
		{"bad usage", attachTrial.badUsage},
		{"a pool that does not exist", attachTrial.unknownPool},
		{"what UpdateUserPool refuses", attachTrial.refused},
		{"a pool on the Lite plan", attachTrial.lite},
		{"attach and detach", attachTrial.attachAndDetach},
		{"another function", attachTrial.replace},
	})
}

// AttachFailures runs `make attach` and scripts/attach.sh where what they call fails: they must not go on.
func (j Judges) AttachFailures(ctx context.Context, project string) error {
	return j.tryAttach(ctx, project, []attachStep{
		{"make attach", attachTrial.makeAttach},
		{"programs that fail", attachTrial.failingPrograms},
	})
}

type attachStep struct {
	name string
	run  func(attachTrial, context.Context) error
}

// tryAttach takes steps with a copy of the project, the AWS CLI and a moto server.
func (j Judges) tryAttach(ctx context.Context, project string, steps []attachStep) (err error) {
	version, err := property(project, "Resources", "UserPool", "Properties", "LambdaConfig", "PreTokenGenerationConfig", "LambdaVersion")
	if err != nil {
		return err
	}
	copied, remove, err := copyOf(project)
	if err != nil {
		return err
	}
	defer remove()
	endpoint, stop, err := j.StartMoto(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	script, err := os.ReadFile(filepath.Join(copied, "scripts", "attach.sh"))
	if err != nil {
		return err
	}
	path := filepath.Join(j.cache, "bin") + string(os.PathListSeparator) + os.Getenv("PATH")
	trial := attachTrial{
		project: copied,
		aws:     j.executable("aws"),
		path:    path,
		environment: environment("AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
			"PATH="+path),
		config:  map[string]any{"LambdaArn": customizer, "LambdaVersion": version},
		several: bytes.Contains(script, []byte("--version VERSION")),
	}
	if err := trial.prepare(ctx); err != nil {
		return fmt.Errorf("preparing moto: %w", err)
	}
	for _, step := range steps {
		if err := step.run(trial, ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// StartMoto starts a moto server, which takes the place of AWS, on a free port of the loopback. Its region is us-east-1, its account 123456789012.
func (j Judges) StartMoto(ctx context.Context) (endpoint string, stop func() error, err error) {
	server := exec.CommandContext(ctx, j.executable("moto_server"), "-H", "127.0.0.1", "-p", "0")
	server.Env = environment()
	log, err := server.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error {
		if err := server.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping moto: %w", err)
		}
		_ = server.Wait() // it was killed
		return nil
	}
	lines := bufio.NewScanner(log)
	running := regexp.MustCompile(`Running on (http://127\.0\.0\.1:[0-9]+)`)
	var said strings.Builder
	for lines.Scan() {
		if match := running.FindStringSubmatch(lines.Text()); match != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return match[1], stop, nil
		}
		fmt.Fprintln(&said, lines.Text())
	}
	return "", nil, errors.Join(fmt.Errorf("moto does not start:\n%s", said.String()), stop())
}

// attachTrial tries the script of a project.
type attachTrial struct {
	project     string
	aws         string
	path        string // where programs are looked for
	environment []string
	// config is the PreTokenGenerationConfig that the script should make.
	config map[string]any
	// several tells that the project has functions for several versions of the trigger. Then a command names the function, or its version.
	several bool
}

// prepare makes the function that is attached. It has no code: moto calls no trigger.
func (a attachTrial) prepare(ctx context.Context) error {
	role, err := a.call(ctx, "iam", "create-role", "--role-name", "function", "--assume-role-policy-document", "{}",
		"--query", "Role.Arn", "--output", "text")
	if err != nil {
		return err
	}
	var code bytes.Buffer
	if err := zip.NewWriter(&code).Close(); err != nil {
		return err
	}
	archive := filepath.Join(a.project, "code.zip")
	if err := os.WriteFile(archive, code.Bytes(), 0o600); err != nil {
		return err
	}
	_, err = a.call(ctx, "lambda", "create-function", "--function-name", customizer[strings.LastIndex(customizer, ":")+1:],
		"--runtime", "provided.al2023", "--handler", "bootstrap", "--zip-file", "fileb://"+archive, "--role", strings.TrimSpace(string(role)))
	return err
}

func (a attachTrial) badUsage(ctx context.Context) error {
	for _, arguments := range []string{
		"", "destroy us-east-1_abc", "attach", "attach us-east-1_abc", "detach", "detach us-east-1_abc x", "status --force us-east-1_abc",
		"status abc", "attach us-east-1_abc customizer", "attach eu-west-1_abc " + customizer,
	} {
		if _, err := a.script(ctx, 2, strings.Fields(arguments)...); err != nil {
			return err
		}
	}
	_, err := a.script(ctx, 0, "--help")
	return err
}

func (a attachTrial) unknownPool(ctx context.Context) error {
	for _, arguments := range []string{"attach us-east-1_missing " + customizer, "detach us-east-1_missing", "status us-east-1_missing"} {
		if _, err := a.script(ctx, 1, strings.Fields(arguments)...); err != nil {
			return err
		}
	}
	return nil
}

func (a attachTrial) attachAndDetach(ctx context.Context) error {
	pool, err := a.createPool(ctx, nil)
	if err != nil {
		return err
	}
	before, err := a.describe(ctx, pool)
	if err != nil {
		return err
	}
	attached := maps.Clone(before)
	config := maps.Clone(before["LambdaConfig"].(map[string]any))
	config["PreTokenGenerationConfig"] = a.config
	attached["LambdaConfig"] = config

	for _, step := range []struct {
		arguments []string
		code      int
		says      string
		want      map[string]any
	}{
		{[]string{"detach", pool}, 0, "no pre token generation trigger", before},
		{[]string{"attach", pool, customizer}, 1, "", before}, // the pool may not call it yet
		{[]string{"permit"}, 0, "", before},
		{[]string{"attach", "--dry-run", pool, customizer}, 0, customizer, before},
		{[]string{"attach", pool, customizer}, 0, "is attached", attached},
		{[]string{"attach", pool, customizer}, 0, "already", attached},
		{[]string{"status", pool}, 0, customizer, attached},
		{[]string{"detach", "--dry-run", pool}, 0, pool, attached},
		{[]string{"detach", pool}, 0, "is detached", before},
	} {
		if step.arguments[0] == "permit" {
			err = a.permit(ctx, pool)
		} else {
			err = a.expect(ctx, pool, step.want, step.code, step.says, step.arguments...)
		}
		if err != nil {
			return err
		}
	}
	return a.backups(pool, before, attached)
}

// backups compares what was saved of the pool with what it was before each of its updates, in any order: names tell the second only.
func (a attachTrial) backups(pool string, want ...map[string]any) error {
	saved, err := files(a.project, "user-pool-backups/"+pool+"-*.json")
	if err != nil {
		return err
	}
	if len(saved) != len(want) {
		return fmt.Errorf("the pool is saved %d times, not before each of %d updates", len(saved), len(want))
	}
	for _, name := range saved {
		content, err := os.ReadFile(filepath.Join(a.project, name))
		if err != nil {
			return err
		}
		described, err := parsePool(content)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		i := slices.IndexFunc(want, func(pool map[string]any) bool { return cmp.Equal(pool, described) })
		if i < 0 {
			return fmt.Errorf("%s is not the pool as it was before an update", name)
		}
		want = slices.Delete(want, i, i+1)
	}
	return nil
}

// replace attaches in another function's place, which was attached as pools of before 2024 have it.
func (a attachTrial) replace(ctx context.Context) error {
	pool, err := a.createPool(ctx, map[string]any{"LambdaConfig": map[string]any{"PreTokenGeneration": other}})
	if err != nil {
		return err
	}
	before, err := a.describe(ctx, pool)
	if err != nil {
		return err
	}
	if err := a.permit(ctx, pool); err != nil {
		return err
	}
	if err := a.expect(ctx, pool, before, 1, other, "attach", pool, customizer); err != nil {
		return err
	}
	attached := maps.Clone(before)
	attached["LambdaConfig"] = map[string]any{"PreTokenGenerationConfig": a.config}
	if err := a.expect(ctx, pool, attached, 0, "is attached", "attach", "--replace", pool, customizer); err != nil {
		return err
	}
	detached := maps.Clone(before)
	detached["LambdaConfig"] = map[string]any{}
	return a.expect(ctx, pool, detached, 0, "is detached", "detach", pool)
}

// failingPrograms has programs that the script calls fail, one after the other. The script must not go on as if nothing had happened.
func (a attachTrial) failingPrograms(ctx context.Context) error {
	pool, err := a.createPool(ctx, nil)
	if err != nil {
		return err
	}
	before, err := a.describe(ctx, pool)
	if err != nil {
		return err
	}
	if err := a.permit(ctx, pool); err != nil {
		return err
	}
	for _, failing := range []struct {
		program, condition string
		arguments          []string
	}{
		{"sort", "true", []string{"attach", pool, customizer}},
		{"sed", `[ "$1" = -E ]`, []string{"attach", "--dry-run", pool, customizer}},
	} {
		folder := filepath.Join(a.project, "broken-"+failing.program)
		script := fmt.Sprintf("#!/bin/sh\nif %s; then exit 1; fi\nPATH=${PATH#*:}\nexec %s \"$@\"\n", failing.condition, failing.program)
		if err := errors.Join(
			os.Mkdir(folder, 0o700),
			os.WriteFile(filepath.Join(folder, failing.program), []byte(script), 0o700), //nolint:gosec // it is a program
		); err != nil {
			return err
		}
		broken := a
		broken.environment = append(slices.Clone(a.environment), "PATH="+folder+string(os.PathListSeparator)+a.path)
		if err := broken.expect(ctx, pool, before, 1, "", failing.arguments...); err != nil {
			return fmt.Errorf("%s: %w", failing.program, err)
		}
	}
	return nil
}

// makeAttach runs `make attach`, which asks CloudFormation for the function.
func (a attachTrial) makeAttach(ctx context.Context) error {
	pool, err := a.createPool(ctx, nil)
	if err != nil {
		return err
	}
	before, err := a.describe(ctx, pool)
	if err != nil {
		return err
	}
	if err := a.permit(ctx, pool); err != nil {
		return err
	}
	attached := maps.Clone(before)
	config := maps.Clone(before["LambdaConfig"].(map[string]any))
	config["PreTokenGenerationConfig"] = a.config
	attached["LambdaConfig"] = config

	resources := `"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}`
	for name, template := range map[string]string{
		"deployed": fmt.Sprintf(`{%s, "Outputs": {"TokenCustomizerArn": {"Value": %q}}}`, resources, customizer),
		"empty":    fmt.Sprintf(`{%s}`, resources),
	} {
		if _, err := a.call(ctx, "cloudformation", "create-stack", "--stack-name", name, "--template-body", template); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		stack, says, never string
		code               int
		want               map[string]any
	}{
		{"missing", "Stack with id missing does not exist", "attach.sh:", 2, before},
		{"empty", "the stack has no such function", "usage", 2, before},
		{"deployed", "is attached", "attach.sh:", 0, attached},
	} {
		arguments := []string{"-C", a.project, "attach", "POOL=" + pool, "STACK=" + step.stack}
		if a.several {
			arguments = append(arguments, "FUNCTION=token-customizer")
		}
		command := exec.CommandContext(ctx, "make", arguments...)
		command.Env = append(slices.Clone(a.environment), "AWS_DEFAULT_REGION=us-east-1")
		output, err := command.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return err
		}
		if got := command.ProcessState.ExitCode(); got != step.code || !strings.Contains(string(output), step.says) || strings.Contains(string(output), step.never) {
			return fmt.Errorf("with the stack %q it exits with %d, not %d, or should say %q and not %q:\n%s", step.stack, got, step.code, step.says, step.never, output)
		}
		got, err := a.describe(ctx, pool)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			return fmt.Errorf("with the stack %q the pool is other than it should be (-want +got):\n%s", step.stack, diff)
		}
	}
	return nil
}

// refused looks at the update of a pool with settings that Amazon Cognito describes and refuses to be told, which moto takes.
func (a attachTrial) refused(ctx context.Context) error {
	var settings map[string]any
	if err := json.Unmarshal(userPool, &settings); err != nil {
		return err
	}
	tags := maps.Clone(settings["UserPoolTags"].(map[string]any))
	tags["aws:cloudformation:stack-name"] = `a "stack", {1}`
	admin := maps.Clone(settings["AdminCreateUserConfig"].(map[string]any))
	admin["UnusedAccountValidityDays"] = 3
	pool, err := a.createPool(ctx, map[string]any{
		"UserPoolTags": tags, "AdminCreateUserConfig": admin, "UsernameAttributes": []string{"email"},
	})
	if err != nil {
		return err
	}
	if err := a.permit(ctx, pool); err != nil {
		return err
	}
	output, err := a.script(ctx, 0, "attach", "--dry-run", pool, customizer)
	if err != nil {
		return err
	}
	var update map[string]any
	if err := json.Unmarshal(output, &update); err != nil {
		return fmt.Errorf("the update is not JSON: %w\n%s", err, output)
	}
	settings["UserPoolId"] = pool
	settings["LambdaConfig"].(map[string]any)["PreTokenGenerationConfig"] = a.config
	if diff := cmp.Diff(settings, update); diff != "" {
		return fmt.Errorf("the update is not every setting but what is refused (-want +got):\n%s", diff)
	}
	return nil
}

// lite attaches to a pool on the Lite plan, which knows the first version of the trigger only.
func (a attachTrial) lite(ctx context.Context) error {
	pool, err := a.createPool(ctx, map[string]any{"UserPoolTier": "LITE"})
	if err != nil {
		return err
	}
	if err := a.permit(ctx, pool); err != nil {
		return err
	}
	if a.config["LambdaVersion"] == "V1_0" {
		_, err = a.script(ctx, 0, "attach", pool, customizer)
		return err
	}
	before, err := a.describe(ctx, pool)
	if err != nil {
		return err
	}
	return a.expect(ctx, pool, before, 1, "Lite", "attach", pool, customizer)
}

// expect runs the script, and expects an exit code, a text in what it prints, and the pool to be what is wanted afterwards.
func (a attachTrial) expect(ctx context.Context, pool string, want map[string]any, code int, says string, arguments ...string) error {
	output, err := a.script(ctx, code, arguments...)
	if err != nil {
		return err
	}
	if !strings.Contains(string(output), says) {
		return fmt.Errorf("%v does not say %q:\n%s", arguments, says, output)
	}
	got, err := a.describe(ctx, pool)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%v left the pool other than it should (-want +got):\n%s", arguments, diff)
	}
	return nil
}

// script runs the script, expects an exit code, and returns what it printed on both streams.
func (a attachTrial) script(ctx context.Context, code int, arguments ...string) ([]byte, error) {
	if a.several && len(arguments) > 0 && arguments[0] == "attach" {
		arguments = append(slices.Clone(arguments), "--version", a.config["LambdaVersion"].(string))
	}
	command := exec.CommandContext(ctx, filepath.Join(a.project, "scripts", "attach.sh"), arguments...)
	command.Env = a.environment
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if got := command.ProcessState.ExitCode(); got != code {
		return nil, fmt.Errorf("%v exits with %d, not %d:\n%s", arguments, got, code, output)
	}
	return output, nil
}

// createPool makes a user pool with settings put over those of userPool, and returns its id.
func (a attachTrial) createPool(ctx context.Context, settings map[string]any) (string, error) {
	var input map[string]any
	if err := json.Unmarshal(userPool, &input); err != nil {
		return "", err
	}
	maps.Copy(input, settings)
	encoded, err := json.Marshal(input)
	if err != nil {
		return "", err
	}
	id, err := a.call(ctx, "cognito-idp", "create-user-pool", "--cli-input-json", string(encoded),
		"--query", "UserPool.Id", "--output", "text")
	return strings.TrimSpace(string(id)), err
}

// permit lets the pool call the customizer, as the stack does.
func (a attachTrial) permit(ctx context.Context, pool string) error {
	_, err := a.call(ctx, "lambda", "add-permission", "--function-name", customizer, "--statement-id", pool,
		"--action", "lambda:InvokeFunction", "--principal", "cognito-idp.amazonaws.com", "--source-account", account,
		"--source-arn", "arn:aws:cognito-idp:us-east-1:"+account+":userpool/"+pool)
	return err
}

// describe returns the user pool as the AWS CLI describes it, but for the time of its last change.
func (a attachTrial) describe(ctx context.Context, pool string) (map[string]any, error) {
	output, err := a.call(ctx, "cognito-idp", "describe-user-pool", "--user-pool-id", pool, "--output", "json")
	if err != nil {
		return nil, err
	}
	return parsePool(output)
}

func parsePool(description []byte) (map[string]any, error) {
	var described struct{ UserPool map[string]any }
	if err := json.Unmarshal(description, &described); err != nil {
		return nil, err
	}
	delete(described.UserPool, "LastModifiedDate")
	return described.UserPool, nil
}

// call calls the AWS CLI and returns what it prints on standard output.
func (a attachTrial) call(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, a.aws, arguments...)
	command.Env = a.environment
	output, err := command.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil, fmt.Errorf("aws %s: %w\n%s", strings.Join(arguments[:2], " "), err, exit.Stderr)
	}
	return output, err
}

// Package judges runs the tools that others wrote and that every generated project has to satisfy: the SAM CLI, the CDK, cfn-lint, checkov,
// golangci-lint, actionlint, markdownlint, shellcheck, an OpenTelemetry Collector, and the project's own scripts against a moto server.
//
// A judge is a method of [Judges] that takes a project's folder and returns an error with the tool's own words where the tool finds
// fault or cannot run. What is judged belongs here; which projects are judged is up to the tests. scripts/install-judges.sh installs the
// tools at the versions that the folders of tools pin.
package judges

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Judges are the installed tools.
type Judges struct {
	cache string
}

// Find finds the tools that scripts/install-judges.sh has installed below root, the folder of golam's repository. It fails if one is
// missing or was installed from other pins than today's.
func Find(root string) (Judges, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Judges{}, err
	}
	judges := Judges{cache: filepath.Join(root, ".cache", "judges")}
	var problems []error
	tools := filepath.Join(root, "internal", "judges", "tools")
	entries, err := os.ReadDir(tools)
	if err != nil {
		return Judges{}, err
	}
	for _, entry := range entries {
		tool := entry.Name()
		pins, err := readPins(filepath.Join(tools, tool))
		if err != nil {
			return Judges{}, err
		}
		stamp, err := os.ReadFile(filepath.Join(judges.cache, tool, "installed-from"))
		switch {
		case errors.Is(err, os.ErrNotExist):
			problems = append(problems, fmt.Errorf("%s is not installed", tool))
		case err != nil:
			problems = append(problems, err)
		case !bytes.Equal(stamp, pins):
			problems = append(problems, fmt.Errorf("%s is installed from other pins than internal/judges/tools has", tool))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return Judges{}, fmt.Errorf("%w\nrun scripts/install-judges.sh", err)
	}
	return judges, nil
}

// readPins returns what the installer leaves behind as a stamp: the files of the folder, in the order of their names' bytes.
func readPins(folder string) ([]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var pins []byte
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		pins = append(pins, content...)
	}
	return pins, nil
}

// executable is the path of a judge's program.
func (j Judges) executable(name string) string { return filepath.Join(j.cache, "bin", name) }

// judge runs a program in the project's folder, and returns what it printed. The error of one that finds fault has that in it.
func judge(ctx context.Context, project string, environment []string, program string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = project
	command.Env = environment
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, output)
	}
	return string(output), nil
}

// strictUmask runs a program like judge, with a umask that keeps everybody but the owner out of what the program makes.
func strictUmask(ctx context.Context, project string, environment []string, program string, arguments ...string) (string, error) {
	return judge(ctx, project, environment, "sh", append([]string{"-c", `umask 077 && exec "$0" "$@"`, program}, arguments...)...)
}

// private takes all permissions on the files of a folder away from everybody but their owner, as a clone under a strict umask has them.
func private(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Mode()&fs.ModeSymlink != 0 {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&0o700)
	})
}

// checkModes checks the modes of the files in a package's folder, which Lambda reads as another user: the bootstrap's is 0755, that of
// the others 0644.
func checkModes(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var problems []error
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			return err
		}
		problems = append(problems, checkMode(info))
	}
	return errors.Join(problems...)
}

// checkMode checks the mode of one file of a package.
func checkMode(file fs.FileInfo) error {
	want := fs.FileMode(0o644)
	if file.Name() == "bootstrap" {
		want = 0o755
	}
	if file.Mode() != want {
		return fmt.Errorf("%s has mode %v in the package, not %v", file.Name(), file.Mode(), want)
	}
	return nil
}

// environment is that of this process without what would change a judge's mind: settings of AWS tools, of checkov and of Go.
func environment(more ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case strings.HasPrefix(name, "AWS_"), strings.HasPrefix(name, "SAM_"), strings.HasPrefix(name, "CKV_"), strings.HasPrefix(name, "BC_"):
		case name == "GOFLAGS", name == "GOOS", name == "GOARCH", name == "GOWORK", name == "MAKEFLAGS":
		default:
			kept = append(kept, variable)
		}
	}
	return append(append(kept, "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_DEFAULT_REGION=us-east-1", "SAM_CLI_TELEMETRY=0", "GOWORK=off"), more...)
}

// offline is an environment in which nothing that speaks HTTP gets out: the proxy is the loopback's discard port.
func offline() []string {
	const nowhere = "http://127.0.0.1:9"
	return environment("HTTP_PROXY="+nowhere, "HTTPS_PROXY="+nowhere, "http_proxy="+nowhere, "https_proxy="+nowhere, "NO_PROXY=", "no_proxy=")
}

// samTemplate is a project's SAM template; cdkTemplate is what its CDK stack synthesizes, as the stack's own test makes sure.
const (
	samTemplate = "template.yaml"
	cdkTemplate = "infra/testdata/template.json"
)

// property returns a property in the project's template.
func property(project string, path ...string) (any, error) {
	template := samTemplate
	source, err := os.ReadFile(filepath.Join(project, template))
	if errors.Is(err, os.ErrNotExist) {
		template = cdkTemplate
		source, err = os.ReadFile(filepath.Join(project, template))
	}
	if err != nil {
		return nil, err
	}
	var value any
	if err := yaml.Unmarshal(source, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", template, err)
	}
	for _, name := range path {
		members, ok := value.(map[string]any)
		if !ok || members[name] == nil {
			return nil, fmt.Errorf("%s has no %s", template, strings.Join(path, "."))
		}
		value = members[name]
	}
	return value, nil
}

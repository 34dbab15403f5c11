package invoke

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/testkit"
)

// TestSettingsOfGolamYAML: in a module that golam did not make, golam.yaml says where a function is and how to run it. What is asked for on
// the command line wins.
func TestSettingsOfGolamYAML(t *testing.T) {
	root := testkit.LambdaModule(t, map[string]string{
		"golam.yaml":                "functions: {api: {path: services/handler, memory: 512, timeout: 7, env_file: .env, include: [page.txt]}}\n",
		".env":                      "FROM_FILE=file\nBOTH=file\n",
		"services/handler/page.txt": "the page",
		"services/handler/main.go": `package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(ctx context.Context) (map[string]string, error) {
		page, err := os.ReadFile("page.txt")
		deadline, _ := ctx.Deadline()
		return map[string]string{
			"page": string(page), "file": os.Getenv("FROM_FILE"), "both": os.Getenv("BOTH"), "memory": os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
			"name": os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), "left": time.Until(deadline).Round(5 * time.Second).String(), "format": os.Getenv("AWS_LAMBDA_LOG_FORMAT"),
		}, err
	})
}
`,
	})
	answer := func(options Options) map[string]string {
		t.Helper()
		options.Dir, options.Cache, options.Environ, options.Event = root, cacheFolder, os.Environ(), []byte("{}")
		result, err := Run(t.Context(), options)
		if err != nil || result.FunctionError != "" {
			t.Fatalf("%v, %s", err, result.Response)
		}
		var got map[string]string
		decode(t, result.Response, &got)
		return got
	}
	check := func(got map[string]string, want map[string]string) {
		t.Helper()
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s is %q, want %q", key, got[key], value)
			}
		}
	}
	check(answer(Options{}), map[string]string{
		"page": "the page", "file": "file", "both": "file", "memory": "512", "name": "api", "left": "5s", "format": "Text",
	})
	check(answer(Options{MemorySize: 256, Timeout: time.Minute, Env: map[string]string{"BOTH": "option"}}), map[string]string{
		"file": "file", "both": "option", "memory": "256", "left": "1m0s",
	})
	testkit.Write(t, filepath.Join(root, ".env"), "secret hunter2\n")
	_, err := Run(t.Context(), Options{Dir: root, Cache: cacheFolder, Environ: os.Environ(), Event: []byte("{}")})
	misused(t, err, "the environment file of api: .env: line 1 is not of the form NAME=value")
	project, err := build.Open(root)
	if err != nil || project.Settings("api") != (build.Settings{MemorySize: 512, Timeout: 7 * time.Second, EnvFile: filepath.Join(project.Root, ".env")}) {
		t.Errorf("settings %+v, %v", project.Settings("api"), err)
	}
}

// TestConfigure: how a function is run follows from golam.yaml, in every schema, and from what its kind gives it. Options win.
func TestConfigure(t *testing.T) {
	const made = "schema: 2\nname: demo\n"
	for name, test := range map[string]struct {
		file    string
		options Options
		memory  int
		timeout time.Duration
		format  string // of the log, empty for Lambda's default
	}{
		"nothing":                 {"", Options{}, 128, 3 * time.Second, ""},
		"by hand":                 {"functions: {f: {memory: 512, timeout: 7}}\n", Options{}, 512, 7 * time.Second, ""},
		"by hand, one of it":      {"functions: {f: {memory: 512}}\n", Options{}, 512, 3 * time.Second, ""},
		"schema 1":                {"schema: 1\ntrigger: v2\nfunctions: [{name: f}]\n", Options{}, 256, 4 * time.Second, "JSON"},
		"schema 2":                {made + "functions: {f: {kind: cognito-token, memory: 1024, timeout: 5}}\n", Options{}, 1024, 5 * time.Second, "JSON"},
		"the kind's":              {made + "functions: {f: {kind: cognito-token}}\n", Options{}, 256, 4 * time.Second, "JSON"},
		"a function of one's own": {made + "functions: {a: {}, f: {path: f, timeout: 60}}\n", Options{}, 128, time.Minute, "JSON"},
		"not in the file":         {made + "functions: {a: {}}\n", Options{}, 128, 3 * time.Second, "JSON"},
		"options":                 {made + "functions: {f: {memory: 1024}}\n", Options{MemorySize: 300, Timeout: time.Second}, 300, time.Second, "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, content := range map[string]string{"go.mod": "module x\n", "golam.yaml": test.file} {
				if err := os.WriteFile(filepath.Join(root, path), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			project, err := build.Open(root)
			if err != nil {
				t.Fatal(err)
			}
			got, err := test.options.Configure(build.Host{Project: project, Function: build.Function{Name: "f"}})
			if err != nil || got.MemorySize != test.memory || got.Timeout != test.timeout || got.Env["AWS_LAMBDA_LOG_FORMAT"] != test.format {
				t.Errorf("%d MB, %s, log %q, %v", got.MemorySize, got.Timeout, got.Env["AWS_LAMBDA_LOG_FORMAT"], err)
			}
		})
	}
}

package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/running"
	"github.com/golam-cli/golam/internal/testkit"
	"github.com/golam-cli/golam/internal/watch"
)

// A golam watch is used for a function whose newest source it serves, whatever is wrong with the others.
func TestUseWatch(t *testing.T) {
	root := testkit.Folder(t, map[string]string{"go.mod": "module example.com/shop\n"})
	project, err := build.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	healthy, broken := running.Function{Name: "healthy", Serving: true}, running.Function{Name: "broken", Serving: true, Broken: true}
	for _, tt := range []struct {
		name, function, problem string
		functions               []running.Function
		refusal                 string
	}{
		{"all is well", "healthy", "", []running.Function{healthy}, ""},
		{"another one is broken", "healthy", "a.go:1", []running.Function{broken, healthy}, ""},
		{"it is broken", "broken", "a.go:1", []running.Function{broken, healthy}, "golam watch says:\na.go:1"},
		{"the only one is broken", "", "a.go:1", []running.Function{broken}, "golam watch says:\na.go:1"},
		{"there is none", "", "there is no function", nil, "golam watch says:\nthere is no function"},
		{"a slip", "heathy", "a.go:1", []running.Function{broken, healthy}, "did you mean healthy?"},
		{"a new one of a broken project", "new", "go.mod:1", []running.Function{broken}, "golam watch says:\ngo.mod:1"},
		{"several", "", "", []running.Function{broken, healthy}, "the project has several functions: name one of broken, healthy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own := running.NewServer(
				func() running.Status { return running.Status{Root: root, Problem: tt.problem, Functions: tt.functions} },
				func(context.Context, string) error { return nil })
			server := httptest.NewServer(own)
			defer server.Close()
			options := Options{Dir: root, Cache: t.TempDir(), Function: tt.function}
			folder := build.LiveFolder(options.Cache, project)
			if err := errors.Join(os.MkdirAll(folder, 0o700), own.Announce(folder, server.URL)); err != nil {
				t.Fatal(err)
			}
			err := options.useWatch(t.Context())
			if (err == nil) != (tt.refusal == "") || err != nil && !strings.Contains(err.Error(), tt.refusal) {
				t.Errorf("got %v, want %q", err, tt.refusal)
			}
			if err == nil && (options.Address != server.URL || options.Function != "healthy") {
				t.Errorf("it invokes %s at %s", options.Function, options.Address)
			}
		})
	}
}

// TestImpostor has the port of a golam watch that died taken by somebody who knows the project. The event must not get there.
func TestImpostor(t *testing.T) {
	project, err := build.Open(functions)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); r.URL.Path != "/_golam/prove" || len(body) > 0 {
			t.Errorf("it gets %s %s %s", r.Method, r.URL, body)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"root": project.Root, "functions": []running.Function{{Name: "official", Serving: true}},
		})
	}))
	defer server.Close()
	folder := build.LiveFolder(cacheFolder, project)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	address := server.URL + "\n" + strings.Repeat("5", 64) + "\n"
	if err := os.WriteFile(filepath.Join(folder, "address"), []byte(address), 0o600); err != nil {
		t.Fatal(err)
	}
	// An environment variable would keep it from looking for a watch, so the function has no name of a handler that it knows, and exits.
	result, err := Run(t.Context(), Options{
		Dir: functions, Cache: cacheFolder, Environ: os.Environ(), Event: []byte(`"a secret"`), Log: func(local.Line) {},
		Found: func(url string) { t.Errorf("it uses %s", url) },
	})
	if err != nil || result.Failure().Type != "Runtime.ExitError" {
		t.Errorf("result %+v, %v", result, err)
	}
}

// A function gets the same environment from golam invoke and from golam watch, but for what golam watch serves.
func TestSameEnvironment(t *testing.T) {
	const source = `package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(func() ([]string, error) { return os.Environ(), nil }) }
`
	root := testkit.LambdaModule(t, map[string]string{"env/main.go": source})
	for _, given := range []map[string]string{{"TABLE": "orders"}, {"AWS_PROFILE": "shop"}, {"AWS_ACCESS_KEY_ID": "key"}} {
		options := Options{Dir: root, Cache: cacheFolder, Environ: os.Environ(), Function: "env", Event: []byte("{}"), Env: given, Here: true}
		invoked, err := Run(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		session, err := watch.Start(t.Context(), watch.Options{
			Dir: root, Cache: t.TempDir(), Environ: os.Environ(), Address: "127.0.0.1:0", Env: given, Events: func(watch.Event) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		watched, err := session.Invoke(t.Context(), "env", local.Invocation{})
		if closing := session.Close(t.Context()); err != nil || closing != nil {
			t.Fatal(err, closing)
		}
		environment := func(payload []byte) map[string]string {
			var list []string
			decode(t, payload, &list)
			variables := map[string]string{}
			for _, pair := range list {
				name, value, _ := strings.Cut(pair, "=")
				variables[name] = value
			}
			// One for each environment.
			for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"} {
				delete(variables, name)
			}
			return variables
		}
		want := environment(invoked.Response)
		got := environment(watched.Payload)
		for _, name := range []string{"AWS_ENDPOINT_URL_EVENTBRIDGE", "EVENT_BUS_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
			if got[name] == "" {
				t.Errorf("%s is missing in golam watch", name)
			}
			delete(got, name)
		}
		if !maps.Equal(got, want) {
			t.Errorf("given %v\nwatch  %v\ninvoke %v", given, got, want)
		}
		if want["AWS_EC2_METADATA_DISABLED"] != "true" || given["AWS_PROFILE"] != "" && (want["AWS_CONFIG_FILE"] == "" || want["AWS_ACCESS_KEY_ID"] != "") {
			t.Errorf("given %v: %v", given, want)
		}
	}
}

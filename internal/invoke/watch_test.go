package invoke

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/watch"
)

// A golam watch is used for a function whose newest source it serves, whatever is wrong with the others.
func TestUseWatch(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example.com/shop\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	project, err := build.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	healthy, broken := watch.FunctionState{Name: "healthy", Serving: true}, watch.FunctionState{Name: "broken", Serving: true, Broken: true}
	for _, tt := range []struct {
		name, function, problem string
		functions               []watch.FunctionState
		refusal                 string
	}{
		{"all is well", "healthy", "", []watch.FunctionState{healthy}, ""},
		{"another one is broken", "healthy", "a.go:1", []watch.FunctionState{broken, healthy}, ""},
		{"it is broken", "broken", "a.go:1", []watch.FunctionState{broken, healthy}, "golam watch says:\na.go:1"},
		{"the only one is broken", "", "a.go:1", []watch.FunctionState{broken}, "golam watch says:\na.go:1"},
		{"there is none", "", "there is no function", nil, "golam watch says:\nthere is no function"},
		{"a slip", "heathy", "a.go:1", []watch.FunctionState{broken, healthy}, "did you mean healthy?"},
		{"a new one of a broken project", "new", "go.mod:1", []watch.FunctionState{broken}, "golam watch says:\ngo.mod:1"},
		{"several", "", "", []watch.FunctionState{broken, healthy}, "the project has several functions: name one of broken, healthy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"root": root, "problem": tt.problem, "functions": tt.functions})
			}))
			defer server.Close()
			options := Options{Dir: root, Cache: t.TempDir(), Function: tt.function}
			folder := build.LiveFolder(options.Cache, project)
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "address"), []byte(server.URL), 0o600); err != nil {
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

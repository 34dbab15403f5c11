package invoke

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/local"
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
			secret := strings.Repeat("5", 64)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/_golam/prove" {
					hash := hmac.New(sha256.New, []byte(secret))
					hash.Write([]byte("golam watch " + r.Header.Get("Golam-Challenge")))
					w.Header().Set("Golam-Proof", hex.EncodeToString(hash.Sum(nil)))
					w.WriteHeader(http.StatusNoContent)
					return
				}
				if r.Header.Get("Authorization") != "Bearer "+secret {
					t.Errorf("%s %s comes without the secret", r.Method, r.URL)
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"root": root, "problem": tt.problem, "functions": tt.functions})
			}))
			defer server.Close()
			options := Options{Dir: root, Cache: t.TempDir(), Function: tt.function}
			folder := build.LiveFolder(options.Cache, project)
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "address"), []byte(server.URL+"\n"+secret+"\n"), 0o600); err != nil {
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
			"root": project.Root, "functions": []watch.FunctionState{{Name: "official", Serving: true}},
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

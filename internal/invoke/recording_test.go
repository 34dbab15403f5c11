package invoke

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/testkit"
)

func TestRecording(t *testing.T) {
	options := Options{
		Event: []byte(`{"n": 9007199254740993, "html": "<&>"}`), ClientContext: []byte(`{"custom":{}}`), TraceID: "Root=1-69afa9a7-0cc56a1b46db7ae02d4da47e",
		Identity: local.CognitoIdentity{ID: "ada", PoolID: "pool"},
	}
	result := Result{Function: "f", Response: []byte(`{"b":1.0,"a":[9007199254740993,"<&>"]}`)}
	made, err := Record(options, result)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "answer.json")
	for range 2 { // it replaces a file
		if err := made.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("%q are left", left)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "9007199254740993") || !strings.Contains(string(text), "<&>") {
		t.Errorf("%s, %v", text, err)
	}
	loaded, err := LoadRecording(path)
	if err != nil {
		t.Fatal(err)
	}
	var got Options
	loaded.Apply(&got)
	if got.Function != "f" || got.TraceID != options.TraceID || got.Identity != options.Identity || canonical("", got.Event) != canonical("", options.Event) {
		t.Errorf("options %+v", got)
	}
	got.Function = "g"
	if loaded.Apply(&got); got.Function != "g" {
		t.Errorf("function %s", got.Function)
	}
	if diff := loaded.Diff(result); diff != "" {
		t.Errorf("the same result differs:\n%s", diff)
	}
	result.Response = []byte("not JSON")
	_, err = Record(options, result)
	testkit.ErrorSays(t, err, "cannot be recorded")
	testkit.ErrorSays(t, made.Save(filepath.Join(t.TempDir(), "absent", "x.json")), "record")
}

func TestDiff(t *testing.T) {
	recorded := Recording{Response: []byte(`{"a": {"x": 1, "y": [1, 2]}, "b": "<"}`)}
	tests := map[string]struct {
		result Result
		want   []string // lines of the difference
	}{
		"another order":  {result: Result{Response: []byte(`{"b":"\u003c","a":{"y":[1,2],"x":1}}`)}},
		"another value":  {result: Result{Response: []byte(`{"a": {"x": 2, "y": [1, 2]}, "b": "<"}`)}, want: []string{`-    "x": 1,`, `+    "x": 2,`, "--- recorded", "+++ now"}},
		"another number": {result: Result{Response: []byte(`{"a": {"x": 1.0, "y": [1, 2]}, "b": "<"}`)}, want: []string{`+    "x": 1.0,`}},
		"a key less":     {result: Result{Response: []byte(`{"a": {"x": 1, "y": [1, 2]}}`)}, want: []string{`-  "b": "<"`}},
		"an error":       {result: Result{Response: []byte(`{"errorMessage": "no"}`), FunctionError: "Unhandled"}, want: []string{`+  "functionError": "Unhandled"`}},
		"not JSON":       {result: Result{Response: []byte("text")}, want: []string{"+text"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			diff := recorded.Diff(test.result)
			if (diff == "") != (test.want == nil) {
				t.Errorf("difference %q", diff)
			}
			for _, line := range test.want {
				if !strings.Contains(diff, line+"\n") {
					t.Errorf("no %q in\n%s", line, diff)
				}
			}
		})
	}
	failed := Recording{FunctionError: "Unhandled", Response: []byte(`{"errorType":"E","errorMessage":"m","stackTrace":[{"line":1}]}`)}
	if diff := failed.Diff(Result{FunctionError: "Unhandled", Response: []byte(`{"errorType":"E","errorMessage":"m","stackTrace":[{"line":2}]}`)}); diff != "" {
		t.Errorf("another line in the stack is a difference:\n%s", diff)
	}
}

func TestLoadRecording(t *testing.T) {
	dir := t.TempDir()
	_, err := LoadRecording(filepath.Join(dir, "absent.json"))
	misused(t, err, "there is no recording", "--record")
	for name, text := range map[string]string{
		"empty": "", "an event": `{"version": "2"}`, "half": `{"function": "f", "event": {}}`, "two": `{"function":"f","event":1,"response":2}{}`, "no JSON": "x",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := LoadRecording(path)
		misused(t, err, "no recording of golam invoke", "record it again")
	}
	_, err = LoadRecording(dir)
	misused(t, err, "is not a file")
}

func FuzzParseRecording(f *testing.F) {
	f.Add([]byte(`{"function":"f","event":{"a":1},"response":[1],"identity":{"cognitoIdentityId":"x","cognitoIdentityPoolId":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		recording, err := parseRecording(data)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "r.json")
		if err := recording.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := LoadRecording(path)
		if err != nil {
			t.Fatal(err)
		}
		if again.Diff(Result{FunctionError: recording.FunctionError, Response: recording.Response}) != "" || again.Function != recording.Function ||
			!reflect.DeepEqual(again.Identity, recording.Identity) {
			t.Errorf("%+v is read back as %+v", recording, again)
		}
	})
}

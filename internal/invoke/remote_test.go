package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/ports"
	"github.com/golam-cli/golam/internal/testkit"
)

func TestRemote(t *testing.T) {
	address := serve(t, "echo", time.Minute)
	log := &logs{}
	for _, address := range []string{address, strings.TrimPrefix(address, "http://"), address + "/"} {
		for _, function := range []string{"official", ""} {
			result, err := Run(t.Context(), Options{
				Dir: functions, Environ: os.Environ(), Function: function, Address: address, Event: []byte(`{"a":1}`), Log: log.add,
			})
			if err != nil {
				t.Fatal(err)
			}
			if string(result.Response) != `{"a":1}` || result.Function != "official" || result.RequestID == "" || result.Report != nil || result.Built {
				t.Errorf("result %+v", result)
			}
		}
	}
	if !strings.Contains(log.String(), "REPORT RequestId: ") {
		t.Errorf("the log:\n%s", log)
	}
	_, err := Run(t.Context(), Options{Function: "other", Address: address, Event: []byte("{}")})
	testkit.ErrorSays(t, err, "refuses to invoke other", "ResourceNotFoundException", "Function not found")
	_, err = Run(t.Context(), Options{Function: "a/../b?c", Address: address, Event: []byte("{}")})
	testkit.ErrorSays(t, err, "refuses to invoke")
}

func TestRemoteContext(t *testing.T) {
	const trace = "Root=1-69afa9a7-0cc56a1b46db7ae02d4da47e;Sampled=0"
	result, err := Run(t.Context(), Options{
		Function: "official", Address: serve(t, "describe", time.Minute), Event: []byte("{}"), ClientContext: []byte(`{"custom":{"k":"v"}}`), TraceID: trace,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		TraceID string
		Context struct {
			ClientContext struct{ Custom map[string]string }
		}
	}
	decode(t, result.Response, &got)
	if got.TraceID != trace || result.TraceID != trace || got.Context.ClientContext.Custom["k"] != "v" {
		t.Errorf("the function got %+v", got)
	}
}

func TestRemoteFailure(t *testing.T) {
	result, err := Run(t.Context(), Options{Function: "official", Address: serve(t, "fail", time.Minute), Event: []byte("{}")})
	if err != nil || result.FunctionError != "Unhandled" || result.Failure().Message != "no luck" {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestRemoteRefused(t *testing.T) {
	port, err := ports.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	_, err = Run(t.Context(), Options{Function: "f", Address: port.Address, Event: []byte("{}")})
	testkit.ErrorSays(t, err, "nothing listens at http://"+port.Address, "leave --address out")
}

func TestRemoteInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address := serveLogging(t, "hang", time.Minute, func(line local.Line) {
		if string(line.Text) == "hanging" {
			cancel()
		}
	})
	_, err := Run(ctx, Options{Function: "official", Address: address, Event: []byte("{}")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:9001": "http://127.0.0.1:9001", "127.0.0.1:9001": "http://127.0.0.1:9001", "localhost:1": "http://localhost:1",
		"http://[::1]:9001/": "http://[::1]:9001",
	} {
		if got, err := parseAddress(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "9001", ":", "http://", "http://:9001", "http://127.0.0.1", "https://127.0.0.1:9001", "http://127.0.0.1:9001/path",
		"http://user:secret@127.0.0.1:9001", "http://127.0.0.1:9001?a=b", "http://127.0.0.1:9001#a", "ftp://127.0.0.1:1", "http://127.0.0.1:port", "a b:1",
	} {
		_, err := parseAddress(text)
		misused(t, err, "--address")
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("http://127.0.0.1:9001")
	f.Fuzz(func(t *testing.T, text string) {
		base, err := parseAddress(text)
		if err != nil {
			return
		}
		if again, err := parseAddress(base); err != nil || again != base {
			t.Errorf("%q gives %q, which gives %q, %v", text, base, again, err)
		}
	})
}

func TestLogTail(t *testing.T) {
	var lines []string
	log := func(line local.Line) { lines = append(lines, string(line.Text)) }
	logTail(log, "f", "b25lCnR3bwo=")
	logTail(log, "f", "not base64")
	logTail(log, "f", "")
	if got, _ := json.Marshal(lines); string(got) != `["one","two"]` {
		t.Errorf("lines %s", got)
	}
}

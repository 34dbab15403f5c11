package lambdaruntime

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/cdk-slim/internal/platform/rawjson"
)

func TestLogger(t *testing.T) {
	ctx := NewContext(t.Context(), &LambdaContext{AwsRequestID: "id"})
	for name, test := range map[string]struct {
		format, level string
		want          []string
	}{
		"JSON": {format: "JSON", want: []string{
			`"level":"INFO","message":"done","text":"a \"b\"\n","n":3,"ms":0.25,"yes":true,"list":["a"],"requestId":"id"}`,
			`"level":"WARN","message":"odd","reason":"no quota","requestId":"id"}`, `"level":"ERROR","message":"broken","what":"!NOT LOGGED"}`,
		}},
		"text": {want: []string{
			`level=INFO message=done text="a \"b\"\n" n=3 ms=0.25 yes=true list=["a"] requestId=id`,
			`level=WARN message=odd reason="no quota" requestId=id`, `level=ERROR message=broken what="!NOT LOGGED"`,
		}},
		"warnings": {format: "JSON", level: "WARN", want: []string{
			`"level":"WARN","message":"odd","reason":"no quota","requestId":"id"}`, `"level":"ERROR","message":"broken","what":"!NOT LOGGED"}`,
		}},
		"errors": {level: "ERROR", want: []string{`level=ERROR message=broken what="!NOT LOGGED"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_LAMBDA_LOG_FORMAT", test.format)
			t.Setenv("AWS_LAMBDA_LOG_LEVEL", test.level)
			logger := NewLogger()
			var log bytes.Buffer
			logger.to = &log
			logger.DebugContext(ctx, "detail")
			logger.InfoContext(ctx, "done", "text", "a \"b\"\n", "n", 3, "ms", 0.25, "yes", true, "list", rawjson.Strings([]string{"a"}))
			logger.WarnContext(ctx, "odd", "reason", errors.New("no quota"))
			logger.Error("broken", "what", struct{ secret string }{"x"})
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("logged\n%s", &log)
			}
			for i, want := range test.want {
				if !strings.HasSuffix(lines[i], want) || !strings.Contains(lines[i][:len(lines[i])-len(want)], "timestamp") {
					t.Errorf("got  %s\nwant %s", lines[i], want)
				}
			}
		})
	}
	t.Setenv("AWS_LAMBDA_LOG_LEVEL", "TRACE")
	logger := NewLogger()
	var log bytes.Buffer
	logger.to = &log
	logger.DebugContext(ctx, "detail")
	if !strings.Contains(log.String(), "level=DEBUG message=detail") {
		t.Errorf("logged %q", &log)
	}
}

// TestLoggerTakesAnyValue expects a complete line for each value, in both formats.
func TestLoggerTakesAnyValue(t *testing.T) {
	var noError *quotaError
	for name, test := range map[string]struct {
		value any
		want  string
	}{
		"nil":                 {nil, "null"},
		"million":             {1e6, "1000000"},
		"tiny":                {1e-7, "1e-7"},
		"int64":               {int64(1), "1"},
		"duration":            {time.Microsecond, "1000"},
		"named text":          {http.Dir("x"), `"x"`},
		"texts":               {[]string{"a"}, `["a"]`},
		"NaN":                 {math.NaN(), `"!NOT LOGGED"`},
		"infinity":            {math.Inf(-1), `"!NOT LOGGED"`},
		"no value":            {rawjson.Value{}, `"!NOT LOGGED"`},
		"half a value":        {rawjson.Value("{"), `"!NOT LOGGED"`},
		"error that panics":   {noError, `"!NOT LOGGED"`},
		"half a value inside": {[]any{1, rawjson.Value(`"`)}, `"!NOT LOGGED"`},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			LoggerTo(&log).Error("x", "value", test.value)
			if !json.Valid(log.Bytes()) || !strings.HasSuffix(log.String(), `"message":"x","value":`+test.want+"}\n") {
				t.Errorf("got %s", &log)
			}
			log.Reset()
			(&Logger{to: &log}).Error("x", "value", test.value, "after", 1)
			if !strings.HasSuffix(log.String(), " after=1\n") {
				t.Errorf("got %s", &log)
			}
		})
	}
}

func TestTimestamp(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 67_000_000, time.FixedZone("east", 3600))
	if got, want := timestamp(at), "2026-01-02T02:04:05.067Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := timestamp(at), at.UTC().Format("2006-01-02T15:04:05.000Z07:00"); got != want {
		t.Errorf("got %s, time.Format writes %s", got, want)
	}
}

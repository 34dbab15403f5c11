package lambdaruntime

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/cdk-slim/internal/platform/rawjson"
)

// Logger writes lines of JSON or text with the same fields as aws-lambda-go's slog handler: timestamp, level, message, the caller's fields and the
// request id. It has the methods of slog.Logger that a function needs. It uses neither log/slog nor encoding/json, which would make the function
// larger.
type Logger struct {
	to    io.Writer
	json  bool
	level level
	// with alternates names and values of fields that each line gets.
	with []any
	// found returns such names and values that depend on the context.
	found []func(context.Context) []any
}

type level int

const (
	debugLevel level = iota
	infoLevel
	warnLevel
	errorLevel
)

var levelNames = []string{debugLevel: "DEBUG", infoLevel: "INFO", warnLevel: "WARN", errorLevel: "ERROR"}

// NewLogger returns a logger that writes to standard output. The configuration of the function sets the format and the lowest level. The defaults are
// text and INFO.
//
// Source: AWS Lambda Developer Guide, "Configuring advanced logging controls for Lambda functions".
func NewLogger() *Logger {
	logger := &Logger{to: stdout, json: environment("AWS_LAMBDA_LOG_FORMAT", "") == "JSON", level: infoLevel, found: []func(context.Context) []any{requestID}}
	switch environment("AWS_LAMBDA_LOG_LEVEL", "INFO") {
	case "TRACE", "DEBUG":
		logger.level = debugLevel
	case "WARN":
		logger.level = warnLevel
	case "ERROR", "FATAL":
		logger.level = errorLevel
	}
	return logger
}

// LoggerTo returns a logger that writes all levels to a writer as JSON, for tests.
func LoggerTo(to io.Writer) *Logger {
	return &Logger{to: to, json: true, found: []func(context.Context) []any{requestID}}
}

// With returns a logger that adds fields to each line, given as alternating names and values.
func (l *Logger) With(namesAndValues ...any) *Logger {
	with := *l
	with.with = append(slices.Clip(l.with), namesAndValues...)
	return &with
}

// DebugContext logs at level DEBUG, with alternating names and values.
func (l *Logger) DebugContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, debugLevel, message, namesAndValues)
}

// InfoContext logs at level INFO, with alternating names and values.
func (l *Logger) InfoContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, infoLevel, message, namesAndValues)
}

// WarnContext logs at level WARN, with alternating names and values.
func (l *Logger) WarnContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, warnLevel, message, namesAndValues)
}

// ErrorContext logs at level ERROR, with alternating names and values.
func (l *Logger) ErrorContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, errorLevel, message, namesAndValues)
}

// Error logs at level ERROR outside of an invocation.
func (l *Logger) Error(message string, namesAndValues ...any) {
	l.log(context.Background(), errorLevel, message, namesAndValues)
}

func (l *Logger) log(ctx context.Context, level level, message string, namesAndValues []any) {
	if level < l.level {
		return
	}
	var line rawjson.Object
	line.Add("timestamp", rawjson.String(timestamp(time.Now())))
	line.Add("level", rawjson.String(levelNames[level]))
	line.Add("message", rawjson.String(message))
	add(&line, l.with)
	add(&line, namesAndValues)
	for _, find := range l.found {
		add(&line, find(ctx))
	}
	written := line.Value()
	if !l.json {
		written = asText(written)
	}
	_, _ = l.to.Write(append(written, '\n')) // one write for each line keeps lines whole; an error can't be logged
}

// add appends fields to a line.
func add(line *rawjson.Object, namesAndValues []any) {
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		name, _ := namesAndValues[i].(string)
		line.Add(name, encode(namesAndValues[i+1]))
	}
}

// requestID returns the id of the invocation as a field.
func requestID(ctx context.Context) []any {
	invocation, ok := FromContext(ctx)
	if !ok {
		return nil
	}
	return []any{"requestId", invocation.AwsRequestID}
}

// encode encodes the value of a field: an error, or a value that rawjson.Encode supports. It replaces other values, and values that panic, so that no
// invocation fails because of a log line.
func encode(value any) (written rawjson.Value) {
	notLogged := rawjson.String("!NOT LOGGED")
	defer func() {
		if recover() != nil {
			written = notLogged
		}
	}()
	if reason, isError := value.(error); isError {
		return rawjson.String(reason.Error())
	}
	written, err := rawjson.Encode(value)
	if err != nil {
		return notLogged
	}
	return written
}

// asText returns the fields of a line as name=value.
func asText(line rawjson.Value) []byte {
	var text []byte
	for name, value := range line.Members() {
		if len(text) > 0 {
			text = append(text, ' ')
		}
		text = append(append(text, name...), '=')
		if plain := value.Text(); plain != "" && !strings.ContainsAny(plain, " =\"\\\n\r\t") {
			text = append(text, plain...)
		} else {
			text = append(text, value...)
		}
	}
	return text
}

// timestamp formats a time as in RFC 3339, in UTC with milliseconds.
func timestamp(now time.Time) string {
	now = now.UTC()
	year, month, day := now.Date()
	text := make([]byte, 0, len("2006-01-02T15:04:05.000Z"))
	for _, part := range []struct {
		number, digits int
		after          byte
	}{
		{year, 4, '-'},
		{int(month), 2, '-'},
		{day, 2, 'T'},
		{now.Hour(), 2, ':'},
		{now.Minute(), 2, ':'},
		{now.Second(), 2, '.'},
		{now.Nanosecond() / 1e6, 3, 'Z'},
	} {
		digits := strconv.Itoa(part.number)
		for range part.digits - len(digits) {
			text = append(text, '0')
		}
		text = append(append(text, digits...), part.after)
	}
	return string(text)
}

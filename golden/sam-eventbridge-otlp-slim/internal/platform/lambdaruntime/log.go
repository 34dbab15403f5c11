package lambdaruntime

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/sam-eventbridge-otlp-slim/internal/platform/rawjson"
)

// Logger writes lines of JSON, or of text, with the fields of aws-lambda-go's slog handler: timestamp, level, message, what the caller
// adds, and the request id. It has those methods of slog.Logger that a function needs, and takes neither package slog nor encoding/json for
// it.
type Logger struct {
	to    io.Writer
	json  bool
	level level
	// with are names and values in turn, for each line.
	with []any
	// adding finds more of them in the context.
	adding func(context.Context) []any
}

type level int

const (
	debugLevel level = iota
	infoLevel
	warnLevel
	errorLevel
)

var levelNames = []string{debugLevel: "DEBUG", infoLevel: "INFO", warnLevel: "WARN", errorLevel: "ERROR"}

// NewLogger returns a logger to standard output, in the format and from the level on that the function is configured to have. Without a
// configuration these are text and INFO.
//
// Source: AWS Lambda Developer Guide, "Configuring advanced logging controls for Lambda functions".
func NewLogger() *Logger {
	logger := &Logger{to: stdout, json: environment("AWS_LAMBDA_LOG_FORMAT", "") == "JSON", level: infoLevel}
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

// LoggerTo returns a logger that writes everything to a writer, as JSON, for tests.
func LoggerTo(to io.Writer) *Logger { return &Logger{to: to, json: true} }

// With returns a logger that adds names and values, in turn, to each line.
func (l *Logger) With(namesAndValues ...any) *Logger {
	with := *l
	with.with = append(slices.Clip(l.with), namesAndValues...)
	return &with
}

// Adding returns a logger that adds to each line the names and values, in turn, that a function finds in the context.
func (l *Logger) Adding(find func(context.Context) []any) *Logger {
	adding := *l
	adding.adding = find
	return &adding
}

// DebugContext logs what helps to find a fault.
func (l *Logger) DebugContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, debugLevel, message, namesAndValues)
}

// InfoContext logs what happened.
func (l *Logger) InfoContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, infoLevel, message, namesAndValues)
}

// WarnContext logs what somebody should look at.
func (l *Logger) WarnContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, warnLevel, message, namesAndValues)
}

// ErrorContext logs what failed.
func (l *Logger) ErrorContext(ctx context.Context, message string, namesAndValues ...any) {
	l.log(ctx, errorLevel, message, namesAndValues)
}

// Error logs what failed outside of an invocation.
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
	var found []any
	if l.adding != nil {
		found = l.adding(ctx)
	}
	for _, list := range [][]any{l.with, namesAndValues, found} {
		for i := 0; i+1 < len(list); i += 2 {
			name, _ := list[i].(string)
			line.Add(name, encode(list[i+1]))
		}
	}
	if invocation, ok := FromContext(ctx); ok {
		line.Add("requestId", rawjson.String(invocation.AwsRequestID))
	}
	written := line.Value()
	if !l.json {
		written = asText(written)
	}
	_, _ = l.to.Write(append(written, '\n')) // one write a line, so that lines stay whole; there is nowhere to complain
}

// encode writes a value that is logged: an error, or what rawjson.Encode takes. Anything else is not logged, nor is a value that panics, so
// that no sign-in fails for a line of the log.
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

// asText writes the members of a line as name=value.
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

// timestamp writes a time as RFC 3339 does, in UTC and with milliseconds.
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

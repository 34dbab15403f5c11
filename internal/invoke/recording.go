package invoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aymanbagabas/go-udiff"

	"github.com/golam-cli/golam/internal/files"
	"github.com/golam-cli/golam/internal/local"
	"github.com/golam-cli/golam/internal/misuse"
)

// Recording is an event with all that goes with it, and what the function answered.
type Recording struct {
	Function      string                 `json:"function"`
	Event         json.RawMessage        `json:"event"`
	ClientContext json.RawMessage        `json:"clientContext,omitempty"`
	Identity      *local.CognitoIdentity `json:"identity,omitempty"`
	TraceID       string                 `json:"trace,omitempty"`
	// FunctionError is "Unhandled" if the function failed.
	FunctionError string          `json:"functionError,omitempty"`
	Response      json.RawMessage `json:"response"`
}

// Record makes the recording of an invocation.
func Record(options Options, result Result) (Recording, error) {
	if where := notJSON(result.Response); where != "" {
		return Recording{}, fmt.Errorf("the response cannot be recorded, since it is not JSON: %s", where)
	}
	recording := Recording{
		Function: result.Function, Event: options.Event, ClientContext: options.ClientContext, TraceID: options.TraceID,
		FunctionError: result.FunctionError, Response: result.Response,
	}
	if options.Identity != (local.CognitoIdentity{}) {
		recording.Identity = &options.Identity
	}
	return recording, nil
}

// Save writes a recording as a whole or not at all, and readable for its owner alone: events hold personal data.
func (r Recording) Save(name string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	_, err = file.Write(text.Bytes())
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("record: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

// CheckRecord finds out early that a recording would replace something that is no file, such as a pipe or a device. It is a [misuse.Error].
func CheckRecord(name string) error {
	if name == "" {
		return misuse.New(`--record "": name a file to write`)
	}
	if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink == 0 && !info.Mode().IsRegular() {
		return misuse.New("--record %s: it is not a file: name a file to write", name)
	}
	return nil
}

// maxRecording is the size of a recording in bytes: an event and a response, indented.
const maxRecording = 64 << 20

// LoadRecording reads what Save wrote. It is a [misuse.Error] if there is no such file or it is no recording.
func LoadRecording(name string) (Recording, error) {
	data, err := files.Read(name, maxRecording)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Recording{}, misuse.New("there is no recording %s: make one with --record %s", name, name)
	case errors.Is(err, files.ErrIrregular):
		return Recording{}, misuse.New("%s is not a file: name one that --record made", name)
	case err != nil:
		return Recording{}, fmt.Errorf("read the recording: %w", err)
	}
	recording, err := parseRecording(TrimMark(data))
	if err != nil {
		return Recording{}, misuse.New("%s is no recording of golam invoke: %v: record it again", name, err)
	}
	return recording, nil
}

func parseRecording(data []byte) (Recording, error) {
	var recording Recording
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&recording); err != nil {
		return Recording{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Recording{}, errors.New("something follows it")
	}
	if recording.Function == "" || recording.Event == nil || recording.Response == nil {
		return Recording{}, errors.New("it lacks the function, the event or the response")
	}
	return recording, nil
}

// Apply gives options what the recording holds. A function that is named already stays.
func (r Recording) Apply(options *Options) {
	if options.Function == "" {
		options.Function = r.Function
	}
	options.Event, options.ClientContext, options.TraceID = r.Event, r.ClientContext, r.TraceID
	if r.Identity != nil {
		options.Identity = *r.Identity
	}
}

// Diff compares a result with the recorded one, and is empty if they are the same: the same JSON, whatever its layout and the order of
// its keys. Numbers are compared as they are written. Of an error the type and the message count, and not the stack.
func (r Recording) Diff(result Result) string {
	before, after := canonical(r.FunctionError, r.Response), canonical(result.FunctionError, result.Response)
	return udiff.Unified("recorded", "now", before, after)
}

func canonical(functionError string, response []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(response))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return string(response) + "\n"
	}
	if functionError != "" {
		if failure, ok := value.(map[string]any); ok {
			delete(failure, "stackTrace")
		}
		value = map[string]any{"functionError": functionError, "error": value}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return string(response) + "\n"
	}
	return text.String()
}

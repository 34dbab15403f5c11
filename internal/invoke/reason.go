package invoke

import (
	"strings"

	"github.com/golam-cli/golam/internal/local"
)

// reasonOf passes the log of a function on, and looks for the line that says why its process ended.
type reasonOf struct {
	next  func(local.Line)
	text  string
	panic bool // text is the line of a panic, and its stack follows
}

// maxReason is the length in bytes up to which a line is quoted.
const maxReason = 500

func (r *reasonOf) line(line local.Line) {
	text := strings.TrimSpace(string(line.Text))
	switch panics := strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: "); {
	case line.Platform || ofPlatform(text) || text == "":
	case panics || !r.panic:
		r.text, r.panic = text, panics
		if len(text) > maxReason {
			r.text = strings.ToValidUTF8(text[:maxReason], "") + "..."
		}
	}
	if r.next != nil {
		r.next(line)
	}
}

// ofPlatform tells Lambda's own lines from those of the function in the end of a log that an Invoke API gives.
func ofPlatform(text string) bool {
	for _, start := range []string{"START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "RequestId: ", "INIT_START ", "INIT_REPORT ", "EXTENSION ", "Runtime."} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

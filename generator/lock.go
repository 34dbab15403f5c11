package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// MaxLock is the size in bytes above which a golam.lock is refused.
const MaxLock = 1 << 20

// Locked is what golam.lock says of a file: how golam rendered it.
type Locked struct {
	// Mode is "100644" or "100755".
	Mode string
	// Blob is the id that git gives to the content.
	Blob string
}

var lockLine = regexp.MustCompile(`^(100644|100755) ([0-9a-f]{40}) (.+)$`)

// ParseLock reads golam.lock: what it says of each path. The file may come from anywhere, so each line has to be as golam writes it.
// Git may have changed the line ends.
func ParseLock(data []byte) (map[string]Locked, error) {
	if len(data) > MaxLock {
		return nil, fmt.Errorf("it has more than %d bytes", MaxLock)
	}
	locked := map[string]Locked{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := lockLine.FindStringSubmatch(line)
		if fields == nil {
			return nil, fmt.Errorf("line %d is not a mode, an id and a path", number)
		}
		name := fields[3]
		if !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`) {
			return nil, fmt.Errorf("line %d has a path that is not in the project", number)
		}
		if _, twice := locked[name]; twice {
			return nil, fmt.Errorf("line %d has a path for the second time", number)
		}
		locked[name] = Locked{Mode: fields[1], Blob: fields[2]}
	}
	return locked, nil
}

// readLock reads the golam.lock of a target; nil if it has none.
func (s *survey) readLock() (map[string]Locked, error) {
	if s.root == nil {
		return nil, nil
	}
	info, err := s.root.Lstat(LockFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, nil // a conflict, which the comparison reports
	case info.Size() > MaxLock:
		return nil, fmt.Errorf("it has more than %d bytes", MaxLock)
	}
	data, err := s.root.ReadFile(LockFile)
	if err != nil {
		return nil, err
	}
	return ParseLock(data)
}

// unedited reports whether a file in the target is as golam rendered it.
func (l Locked) unedited(content []byte, executable bool) bool {
	file := File{Content: content, Executable: executable}
	if file.GitMode() != l.Mode {
		return false
	}
	if file.BlobID() == l.Blob {
		return true
	}
	file.Content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")) // git may have changed the line ends
	return file.BlobID() == l.Blob
}

// relock is golam.lock with what it said before of the files that are kept: that is what their owner edited. It says nothing of files that
// golam never rendered.
func relock(lock File, kept map[string]bool, before map[string]Locked) File {
	var content strings.Builder
	for line := range strings.Lines(string(lock.Content)) {
		fields := lockLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if fields == nil || !kept[fields[3]] {
			content.WriteString(line)
		} else if was, known := before[fields[3]]; known {
			fmt.Fprintf(&content, "%s %s %s\n", was.Mode, was.Blob, fields[3])
		}
	}
	lock.Content = []byte(content.String())
	return lock
}

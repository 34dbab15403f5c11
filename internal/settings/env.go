package settings

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/joho/godotenv"

	"github.com/golam-cli/golam/internal/files"
)

// MaxEnv is the size in bytes up to which golam reads a file of environment variables. Lambda's limit for all variables is 4 KB.
const MaxEnv = 64 << 10

// ParseEnv reads environment variables as NAME=value lines. Its errors never repeat the content, which may hold secrets.
func ParseEnv(text []byte) (map[string]string, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // editors on Windows write it
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(bytes.Clone(text), '\n') // a last line without its end is read differently
	}
	env, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		// A value may go on over several lines, so what is wrong begins after the most lines that can be read.
		read, number := 0, 1
		for at, line := 0, 1; at < len(text); line++ {
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				break
			}
			at += end + 1
			if _, err := godotenv.UnmarshalBytes(text[read:at]); err == nil {
				read, number = at, line+1
			}
		}
		number += len(text[read:]) - len(bytes.TrimLeft(text[read:], "\n"))
		return nil, fmt.Errorf("line %d is not of the form NAME=value", number)
	}
	for name, value := range env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return nil, fmt.Errorf("the variable %q cannot be one of a process", name)
		}
	}
	return env, nil
}

// ReadEnv reads a file of environment variables.
func ReadEnv(path string) (map[string]string, error) {
	text, err := files.Read(path, MaxEnv)
	if err != nil {
		return nil, err
	}
	env, err := ParseEnv(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return env, nil
}

package watch

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/joho/godotenv"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/eventbus"
	"github.com/golam-cli/golam/internal/files"
	"github.com/golam-cli/golam/internal/misuse"
)

// settings are what functions get besides their code. They may change at any time.
type settings struct {
	env       map[string]string
	rules     []eventbus.Rule
	rulesText string
	problem   string // why they are not the newest
}

// settingsFiles are where settings come from.
type settingsFiles struct {
	env, rules string // absolute paths, or ""
	fixed      map[string]string
}

func openSettings(options Options) (settingsFiles, error) {
	files := settingsFiles{fixed: options.Env}
	for _, f := range []struct{ from, to *string }{{&options.EnvFile, &files.env}, {&options.Rules, &files.rules}} {
		if *f.from == "" {
			continue
		}
		path, err := filepath.Abs(*f.from)
		if err == nil {
			// Changes are told of the folder that the file is in.
			var dir string
			dir, err = filepath.EvalSymlinks(filepath.Dir(path))
			path = filepath.Join(dir, filepath.Base(path))
		}
		if err != nil {
			return settingsFiles{}, misuse.New("%s cannot be read: %v", *f.from, err)
		}
		*f.to = path
	}
	return files, nil
}

// settingsPaths are those of all files of settings, and of those that they lead to.
func (s *Session) settingsPaths() (paths []string) {
	s.mu.Lock()
	named := []string{s.files.env, s.files.rules}
	for _, file := range s.envFiles {
		named = append(named, file.path)
	}
	s.mu.Unlock()
	for _, path := range named {
		if path == "" {
			continue
		}
		paths = append(paths, path)
		if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
			paths = append(paths, target)
		}
	}
	return paths
}

// envFile is the file of environment variables that golam.yaml names for a function.
type envFile struct {
	path      string // "" if there is none
	variables map[string]string
	problem   string // why they are not the newest
}

// readEnvFile reads the environment file of a function again. If it cannot be read, what it was before still holds.
func (s *Session) readEnvFile(f build.Current) map[string]string {
	now := envFile{path: f.Settings.EnvFile}
	if now.path != "" {
		var err error
		if now.variables, err = ReadEnv(now.path); err != nil {
			now.problem = err.Error()
		}
	}
	s.mu.Lock()
	before := s.envFiles[f.Name]
	if now.problem != "" && now.path == before.path {
		now.variables = before.variables
	}
	s.envFiles[f.Name] = now
	s.mu.Unlock()
	switch {
	case now.problem == "" || now.problem == before.problem && now.path == before.path:
	case now.variables == nil:
		s.note("%s runs without its environment file: %s", f.Name, now.problem)
	default:
		s.note("the environment file of %s: %s; what it was before still holds", f.Name, now.problem)
	}
	return now.variables
}

// MaxEnv is the size in bytes up to which a file of environment variables is read: far more than Lambda's 4 KB for all of them.
const MaxEnv = 64 << 10

func (f settingsFiles) read() (settings, error) {
	read := settings{env: map[string]string{}}
	var problems []error
	if f.env != "" {
		text, err := files.Read(f.env, MaxEnv)
		var parsed map[string]string
		if err == nil {
			parsed, err = ParseEnv(text)
		}
		if err == nil {
			read.env = parsed
		} else {
			problems = append(problems, fmt.Errorf("the environment file: %w", err))
		}
	}
	if f.rules != "" {
		text, err := files.Read(f.rules, eventbus.MaxRules)
		if err == nil {
			read.rulesText = string(text)
			read.rules, err = eventbus.ParseRules(text)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("the rules in %s: %w", filepath.Base(f.rules), err))
		}
	}
	maps.Copy(read.env, f.fixed)
	return read, errors.Join(problems...)
}

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

package watch

import (
	"fmt"
	"maps"
	"path/filepath"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/files"
	"github.com/golam-cli/golam/internal/settings"
)

// readEnv reads the environment file of all functions. On top come the variables that the command line sets. If the file cannot be read,
// the result holds the latter alone.
func readEnv(file string, fixed map[string]string) (env map[string]string, err error) {
	if file != "" {
		text, reading := files.Read(file, settings.MaxEnv)
		if err = reading; err == nil {
			env, err = settings.ParseEnv(text)
		}
		if err != nil {
			err = fmt.Errorf("the environment file: %w", err)
		}
	}
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, fixed)
	return env, err
}

// readSettings reads the files of settings again. It reports whether the environment of all functions has changed.
func (s *Session) readSettings() bool {
	s.reloadServices()
	env, err := readEnv(s.envFile, s.options.Env)
	if s.news(s.envFile, err) {
		s.note("%v; what it was before still holds", err)
	}
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := !maps.Equal(env, s.env)
	s.env = env
	return changed
}

// settingsPaths are the paths of all files of settings, and of the files that they are links to.
func (s *Session) settingsPaths() (paths []string) {
	named := []string{s.envFile}
	for _, c := range s.configurables() {
		named = append(named, c.path())
	}
	s.mu.Lock()
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
		if now.variables, err = settings.ReadEnv(now.path); err != nil {
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

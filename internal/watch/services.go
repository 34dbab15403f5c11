package watch

import (
	"errors"
	"net/http"
	"path/filepath"

	"github.com/golam-cli/golam/internal/misuse"
)

// service is a local service: it takes the place of a service in the cloud while a project is watched. To add one:
//
//  1. Write what it does in a package of its own, such as internal/eventbus. That package knows nothing about golam watch.
//  2. Write an adapter in a file of this package, as in bus.go, and add it to [Session.newServices].
//  3. If it has a file of settings, implement [configurable], add a field to [Options], and a flag to cmd/watch.go.
//  4. If users should see what it does, add an [EventType] and a member of [Event] with its data, and show it in cmd/watchlines.go and internal/screen.
//  5. Describe it in docs/watch.md.
//
// The session sends requests to services, sets the services' variables in functions, and watches their files. server.go limits the size of requests to
// what the most demanding service takes. A
// service invokes functions with [Session.Invoke], which returns what the function answered, or with [Session.deliver], which does not. Services
// are made before the local Lambda, and nothing starts or stops them: one that has work of its own begins it with its first request, and ends it
// when the session's context ends.
type service interface {
	http.Handler
	// accepts reports whether a request is for this service.
	accepts(r *http.Request) bool
	// variables are the environment variables with which functions find the service at a URL. A variable that the user sets wins.
	variables(url string) map[string]string
}

// configurable is a service that may have a file of settings.
type configurable interface {
	service
	// path is the absolute path of the file, which the session watches, or "".
	path() string
	// load reads the file. The session calls it before it serves anything, and then with each look at the project. If it fails, the settings
	// from before stay in force. The note says what has changed, or is "".
	load() (note string, err error)
}

// newServices makes the services of a session. The first one that accepts a request gets it.
func (s *Session) newServices() ([]service, error) {
	bus, err := s.newBus()
	if err != nil {
		return nil, err
	}
	return []service{s.newFunctionURLs(), s.newTraces(), bus}, nil
}

// loadServices reads the services' files before anything is served.
func (s *Session) loadServices() error {
	var problems []error
	for _, c := range s.configurables() {
		_, err := c.load()
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// reloadServices reads the services' files again, and tells what has changed.
func (s *Session) reloadServices() {
	for _, c := range s.configurables() {
		note, err := c.load()
		if s.news(c.path(), err) {
			s.note("%v; what it was before still holds", err)
		}
		if note != "" {
			s.note("%s", note)
		}
	}
}

// configurables are the services that have a file.
func (s *Session) configurables() (found []configurable) {
	for _, service := range s.services {
		if c, ok := service.(configurable); ok && c.path() != "" {
			found = append(found, c)
		}
	}
	return found
}

// news reports whether a problem with a file is another one than with the last look at it.
func (s *Session) news(path string, problem error) bool {
	if problem == nil {
		delete(s.problems, path)
		return false
	}
	before := s.problems[path]
	s.problems[path] = problem.Error()
	return before != problem.Error()
}

// setVariables gives a function the variables of all services. A variable that the user has set stays.
func (s *Session) setVariables(env map[string]string) {
	for _, service := range s.services {
		for name, value := range service.variables(s.server.url) {
			if _, set := env[name]; !set {
				env[name] = value
			}
		}
	}
}

// absolute is the path of a file that the user names. The system reports changes for the folder that the file really is in.
func absolute(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", misuse.New("%s cannot be read: %v", name, err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", misuse.New("%s cannot be read: %v", name, err)
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

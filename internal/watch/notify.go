package watch

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/golam-cli/golam/internal/files"
)

// pollInterval is the time between two looks at the project where the system cannot tell of changes.
const pollInterval = 500 * time.Millisecond

// notifier tells that something in some folders may have changed.
type notifier struct {
	// changes has a token after a change.
	changes chan struct{}

	watcher *fsnotify.Watcher // nil while polling
	ended   chan struct{}     // closed: the goroutine has ended
	stop    chan struct{}

	mu     sync.Mutex
	inputs map[string]bool
	beside map[string]bool // folders that are watched for settings alone
	all    bool
	ignore *ignore
}

// newNotifier also gives the reason why it has to poll, if so.
func newNotifier(poll bool) (n *notifier, reason error) {
	n = &notifier{changes: make(chan struct{}, 1), ignore: newIgnore("")}
	if !poll {
		var err error
		if n.watcher, err = fsnotify.NewWatcher(); err != nil {
			n.watcher, reason = nil, err
		}
	}
	n.start()
	return n, reason
}

func (n *notifier) start() {
	n.ended, n.stop = make(chan struct{}), make(chan struct{})
	if n.watcher == nil {
		go n.poll()
	} else {
		go n.listen(n.watcher)
	}
}

func (n *notifier) close() {
	close(n.stop)
	if n.watcher != nil {
		_ = n.watcher.Close()
	}
	<-n.ended
}

func (n *notifier) notify() {
	select {
	case n.changes <- struct{}{}:
	default:
	}
}

func (n *notifier) poll() {
	defer close(n.ended)
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.notify()
		case <-n.stop:
			return
		}
	}
}

func (n *notifier) listen(watcher *fsnotify.Watcher) {
	defer close(n.ended)
	for {
		select {
		case event, ok := <-watcher.Events:
			if !ok {
				return
			}
			// A change of the mode alone is nothing to build: indexers and backups make them.
			if event.Op != fsnotify.Chmod && n.concerns(event.Name) {
				n.notify()
			}
		case _, ok := <-watcher.Errors:
			if !ok {
				return
			}
			n.notify() // events were lost
		}
	}
}

// concerns leaves out what git ignores, unless it is built from, and what lies beside files of settings.
func (n *notifier) concerns(path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.inputs[path] || !n.beside[filepath.Dir(path)] && (n.all || !n.ignore.matches(path, false))
}

// scope says where a change matters.
type scope struct {
	// root is the project's folder, folders are those of it and of what it is built from.
	root    string
	folders []string
	// inputs are files that functions are built from, settings those of the user. They count even if git ignores them.
	inputs, settings []string
	// all makes everything in the folders count: what a broken project lacks may be generated code, which git ignores.
	all bool
}

// watch sets where a change matters. Added tells that there are new folders, in which something may have changed before they were watched.
// A reason is given when it begins to poll because the system watches no more.
func (n *notifier) watch(s scope) (added bool, reason error) {
	ignore := newIgnore(s.root)
	holding := map[string]bool{} // folders with inputs
	files := map[string]bool{}
	for _, file := range slices.Concat(s.inputs, s.settings) {
		files[file] = true
		holding[filepath.Dir(file)] = true
	}
	wanted := map[string]bool{}
	for _, folder := range s.folders {
		if s.all || holding[folder] || !ignore.matches(folder, true) {
			wanted[folder] = true
		}
	}
	beside := map[string]bool{}
	for _, file := range s.settings {
		if folder := filepath.Dir(file); !wanted[folder] {
			wanted[folder], beside[folder] = true, true
		}
	}
	// From here on the other goroutine has them, and matching is no mere reading.
	n.mu.Lock()
	n.inputs, n.beside, n.all, n.ignore = files, beside, s.all, ignore
	n.mu.Unlock()
	if n.watcher == nil {
		return false, nil
	}
	// The system drops a folder that is removed. One that has been made again since is another one, to be added again.
	live := n.watcher.WatchList()
	for _, folder := range live {
		if !wanted[folder] {
			_ = n.watcher.Remove(folder) // it may be gone
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(wanted)) {
		err := n.watcher.Add(folder) // twice is fine
		switch {
		case err == nil:
			added = added || !slices.Contains(live, folder)
		case exhausted(err):
			n.close()
			n.watcher = nil
			n.start()
			return true, fmt.Errorf("watch %s: %w", folder, err)
		}
		// What is gone or cannot be read is left out: the go command says what is wrong with it.
	}
	return added, nil
}

// exhausted tells that the system watches no more, not that something is wrong with a folder.
func exhausted(err error) bool {
	for _, limit := range []error{syscall.ENOSPC, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, fsnotify.ErrClosed} {
		if errors.Is(err, limit) {
			return true
		}
	}
	return false
}

// ignore knows what git ignores below a folder: by the .gitignore files there, and in the folders above up to that of the repository.
type ignore struct {
	top     string
	matcher map[string]gitignore.Matcher // by folder, of the patterns in it and above
	read    map[string][]gitignore.Pattern
}

// newIgnore finds the repository that root is in. An empty root ignores nothing.
func newIgnore(root string) *ignore {
	i := &ignore{top: root, matcher: map[string]gitignore.Matcher{}, read: map[string][]gitignore.Pattern{}}
	for dir := root; root != ""; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			i.top = dir
			break
		}
		if filepath.Dir(dir) == dir {
			break
		}
	}
	return i
}

// matches tells whether git ignores a path. What is outside of the repository it does not.
func (i *ignore) matches(path string, isDir bool) bool {
	if i.top == "" {
		return false
	}
	relative, err := filepath.Rel(i.top, path)
	if err != nil || !filepath.IsLocal(relative) || relative == "." {
		return false
	}
	elements := strings.Split(relative, string(filepath.Separator))
	// A file in an ignored folder is ignored, whatever the folder's own .gitignore says.
	for n := 1; n <= len(elements); n++ {
		if i.of(elements[:n-1]).Match(elements[:n], n < len(elements) || isDir) {
			return true
		}
	}
	return false
}

// of gives the matcher of a folder.
func (i *ignore) of(elements []string) gitignore.Matcher {
	key := filepath.Join(elements...)
	if i.matcher[key] == nil {
		i.matcher[key] = gitignore.NewMatcher(i.patterns(elements))
	}
	return i.matcher[key]
}

// maxIgnore is the size in bytes up to which a file of patterns is read.
const maxIgnore = 1 << 20

func (i *ignore) patterns(elements []string) []gitignore.Pattern {
	key := filepath.Join(elements...)
	if known, ok := i.read[key]; ok {
		return known
	}
	var patterns []gitignore.Pattern
	file := filepath.Join(i.top, ".git", "info", "exclude")
	if len(elements) > 0 {
		patterns = slices.Clone(i.patterns(elements[:len(elements)-1]))
	} else if text, err := files.Read(file, maxIgnore); err == nil {
		patterns = parseIgnore(patterns, text, nil)
	}
	if text, err := files.Read(filepath.Join(i.top, key, ".gitignore"), maxIgnore); err == nil {
		patterns = parseIgnore(patterns, text, slices.Clone(elements))
	}
	i.read[key] = patterns
	return patterns
}

func parseIgnore(patterns []gitignore.Pattern, text []byte, domain []string) []gitignore.Pattern {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			patterns = append(patterns, gitignore.ParsePattern(line, domain))
		}
	}
	return patterns
}

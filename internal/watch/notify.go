package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
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
	folders map[string]bool

	mu     sync.Mutex
	inputs map[string]bool
	ignore *ignore
}

// newNotifier also gives the reason why it has to poll, if so.
func newNotifier(poll bool) (n *notifier, reason error) {
	n = &notifier{changes: make(chan struct{}, 1), folders: map[string]bool{}, ignore: newIgnore("")}
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

// concerns leaves out what git ignores, unless it is built from.
func (n *notifier) concerns(path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.inputs[path] || !n.ignore.matches(path, false)
}

// watch sets the folders to watch, and the files that functions are built from. Added tells that there are new folders, in which
// something may have changed before they were watched. A reason is given when it begins to poll because the system watches no more.
func (n *notifier) watch(root string, folders, inputs []string) (added bool, reason error) {
	ignore := newIgnore(root)
	holding := map[string]bool{} // folders with inputs
	files := map[string]bool{}
	for _, input := range inputs {
		files[input] = true
		holding[filepath.Dir(input)] = true
	}
	n.mu.Lock()
	n.inputs, n.ignore = files, ignore
	n.mu.Unlock()
	if n.watcher == nil {
		return false, nil
	}
	wanted := map[string]bool{}
	for _, folder := range folders {
		if holding[folder] || !ignore.matches(folder, true) {
			wanted[folder] = true
		}
	}
	for folder := range n.folders {
		if !wanted[folder] {
			_ = n.watcher.Remove(folder) // it may be gone
			delete(n.folders, folder)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(wanted)) {
		// A folder that was removed and made again is another one. Adding it twice is fine.
		err := n.watcher.Add(folder)
		switch {
		case err == nil:
			added = added || !n.folders[folder]
			n.folders[folder] = true
		case errors.Is(err, fs.ErrNotExist):
			delete(n.folders, folder)
		default:
			n.close()
			n.watcher = nil
			n.start()
			return true, fmt.Errorf("watch %s: %w", folder, err)
		}
	}
	return added, nil
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

func (i *ignore) patterns(elements []string) []gitignore.Pattern {
	key := filepath.Join(elements...)
	if known, ok := i.read[key]; ok {
		return known
	}
	var patterns []gitignore.Pattern
	file := filepath.Join(i.top, ".git", "info", "exclude")
	if len(elements) > 0 {
		patterns = slices.Clone(i.patterns(elements[:len(elements)-1]))
	} else if text, err := os.ReadFile(file); err == nil {
		patterns = parseIgnore(patterns, text, nil)
	}
	if text, err := os.ReadFile(filepath.Join(i.top, key, ".gitignore")); err == nil {
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

package watch

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/golam-cli/golam/internal/gitignore"
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

	mu         sync.Mutex
	inputs     map[string]bool
	beside     map[string]bool // folders that are watched for settings alone
	all        bool
	repository *gitignore.Repository
}

// newNotifier also gives the reason why it has to poll, if so.
func newNotifier(poll bool) (n *notifier, reason error) {
	n = &notifier{changes: make(chan struct{}, 1), all: true}
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
	return n.inputs[path] || !n.beside[filepath.Dir(path)] && (n.all || !n.repository.Ignores(path, false))
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
	repository := gitignore.Find(s.root)
	holding := map[string]bool{} // folders with inputs
	files := map[string]bool{}
	for _, file := range slices.Concat(s.inputs, s.settings) {
		files[file] = true
		holding[filepath.Dir(file)] = true
	}
	wanted := map[string]bool{}
	for _, folder := range s.folders {
		if s.all || holding[folder] || !repository.Ignores(folder, true) {
			wanted[folder] = true
		}
	}
	beside := map[string]bool{}
	for _, file := range s.settings {
		if folder := filepath.Dir(file); !wanted[folder] {
			wanted[folder], beside[folder] = true, true
		}
	}
	// From here on the other goroutine uses the repository too, which is not safe without the lock.
	n.mu.Lock()
	n.inputs, n.beside, n.all, n.repository = files, beside, s.all, repository
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

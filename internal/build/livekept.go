package build

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
)

// keptBuilds is what a Live leaves to the next one: what it knows of the project, and what it has built.
type keptBuilds struct {
	Index index `json:"index"`
	// Bootstraps are paths by function, relative to the folder of builds.
	Bootstraps map[string]string `json:"bootstraps"`
}

// openBuilds takes over what the last Live has built, as far as it is still there, and removes everything else.
func (l *Live) openBuilds() error {
	if l.options.Debug {
		l.builds = filepath.Join(l.dir, buildsFolder) // another recipe
		return os.MkdirAll(l.builds, 0o700)
	}
	sweepProjects(l.options.Cache, l.project)
	known, ok := readKept(l.builds)
	if ok && known.Index.Watched.Root == l.root {
		l.adopt(known)
	}
	return l.sweepBuilds()
}

func (l *Live) adopt(known keptBuilds) {
	good := true
	for i := range known.Index.Functions {
		f := &known.Index.Functions[i]
		path := filepath.Join(l.builds, known.Bootstraps[f.Name])
		if f.Built != f.Inputs || !within(l.builds, path) || !f.Binary.is(path) || !isFile(path) {
			f.Built, good = "", false
			continue
		}
		l.current[f.Name], l.adopted[f.Name] = Current{Function: f.Function, Bootstrap: path, Payload: f.Payload}, true
	}
	// With something to build, the sources are needed, and not only their sums.
	l.known, l.names, l.settled = known.Index, known.Index.Names, good && known.Index.Sums != nil
}

// sameToolchain makes sure, once, that what the last Live knows is about the toolchain that is there now.
func (l *Live) sameToolchain(ctx context.Context) {
	if l.toolchain != nil || !l.settled {
		return
	}
	err := l.findToolchain(ctx)
	l.settled = err == nil && l.toolchain.identity() == l.known.Toolchain
}

// keep writes down what the next Live can begin with. If that fails, the next one builds everything again.
func (l *Live) keep() {
	if l.options.Debug || l.known.Format != indexFormat {
		return
	}
	known := keptBuilds{Index: l.known, Bootstraps: map[string]string{}}
	if !l.settled {
		known.Index.Sums = nil // so that it does not count as settled
	}
	for name, current := range l.current {
		if relative, err := filepath.Rel(l.builds, current.Bootstrap); err == nil && current.Bootstrap != "" {
			known.Bootstraps[name] = relative
		}
	}
	if data, err := json.Marshal(known); err == nil {
		_ = replace(filepath.Join(l.builds, indexName), data)
	}
}

func readKept(builds string) (known keptBuilds, ok bool) {
	data, err := os.ReadFile(filepath.Join(builds, indexName))
	if err != nil || json.Unmarshal(data, &known) != nil || known.Index.Format != indexFormat {
		return keptBuilds{}, false
	}
	return known, true
}

// sweepBuilds removes what no function needs: a golam that was killed may have left it.
func (l *Live) sweepBuilds() error {
	needed := map[string]bool{l.builds: true, filepath.Join(l.builds, indexName): true}
	for _, current := range l.current {
		needed[current.Bootstrap], needed[filepath.Dir(current.Bootstrap)] = true, true
	}
	return filepath.WalkDir(l.builds, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || needed[path]:
			return err
		case entry.IsDir():
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return fs.SkipDir
		}
		return os.Remove(path)
	})
}

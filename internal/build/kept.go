package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"
)

// kept is what golam keeps of the packages of a project for one processor: binaries where the go command finds them again, packages, and
// what is known about both. Its lock is held until it is closed.
type kept struct {
	dir       string
	lock      *flock.Flock
	temporary bool

	slots slots // for packing

	mu sync.Mutex // of Records
	// The rest is in a file of the folder.
	Format  int               `json:"format"`
	Index   index             `json:"index"`
	Records map[string]record `json:"records"` // by function
}

const keptFormat = 1

// record is what is known about a package.
type record struct {
	// ID is the Go build ID of the binary, and Size and Sum are its size in bytes and SHA-256.
	ID   string `json:"id"`
	Size int64  `json:"size"`
	Sum  string `json:"sum"`
	// Modules and ModulesProblem are those of [Built].
	Modules        []Module `json:"modules"`
	ModulesProblem string   `json:"modulesProblem,omitempty"`
	// Recipe says what was packed, and how. Zip, ZipSize and ZipSum are of the package that came of it.
	Recipe  string `json:"recipe"`
	Zip     stamp  `json:"zip"`
	ZipSize int64  `json:"zipSize"`
	ZipSum  string `json:"zipSum"`
	// Packed are the paths of the files in the package.
	Packed []string `json:"packed"`
	// DistBinary and DistZip are the copies in dist.
	DistBinary stamp `json:"distBinary"`
	DistZip    stamp `json:"distZip"`
}

const keptName = "packages.json"

// openKept opens what is kept, or a folder for this build alone if that cannot be.
func openKept(ctx context.Context, cache string, project Project, arch string) (*kept, error) {
	k := &kept{slots: newSlots(), Records: map[string]record{}}
	err := errors.New("there is no cache")
	if cache != "" {
		k.dir, err = openProjectCache(cache, project, packagesFolder(arch))
	}
	if err != nil {
		if k.dir, err = os.MkdirTemp("", "golam-build-"); err != nil {
			return nil, fmt.Errorf("make a temporary folder: %w", err)
		}
		k.temporary = true
		return k, nil
	}
	k.lock = flock.New(filepath.Join(k.dir, ".lock"))
	if _, err := k.lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return nil, fmt.Errorf("the cache in %s: %w", cache, err)
	}
	if data, err := os.ReadFile(filepath.Join(k.dir, keptName)); err == nil {
		if json.Unmarshal(data, k) != nil || k.Format != keptFormat || k.Records == nil {
			k.Index, k.Records = index{}, map[string]record{}
		}
		if k.Index.Format != indexFormat || !k.Index.whole() {
			k.Index = index{}
		}
	}
	return k, nil
}

// close writes down what is known.
func (k *kept) close() error {
	if k.temporary {
		if err := os.RemoveAll(k.dir); err != nil {
			return fmt.Errorf("remove the temporary folder: %w", err)
		}
		return nil
	}
	k.sweep()
	k.Format = keptFormat
	data, err := json.Marshal(k)
	if err == nil {
		err = replace(filepath.Join(k.dir, keptName), data)
	}
	if err := errors.Join(err, k.lock.Close()); err != nil {
		return fmt.Errorf("the cache in %s: %w", k.dir, err)
	}
	return nil
}

// sweep removes what is kept of functions that are there no more. Nobody needs it, so a failure is no matter.
func (k *kept) sweep() {
	names, programs := map[string]bool{}, map[string]bool{}
	for _, f := range k.Index.Functions {
		names[f.Name+".zip"], programs[f.program()] = true, true
	}
	if len(names) == 0 {
		return
	}
	maps.DeleteFunc(k.Records, func(name string, _ record) bool { return !names[name+".zip"] })
	remove := func(dir string, wanted map[string]bool) {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			if !wanted[entry.Name()] {
				_ = os.Remove(filepath.Join(dir, entry.Name()))
			}
		}
	}
	remove(filepath.Join(k.dir, "zip"), names)
	rounds, _ := filepath.Glob(filepath.Join(k.dir, "*", "[0-9]*"))
	for _, round := range rounds {
		remove(round, programs)
	}
}

// sound says whether a binary that is kept is a whole one. If in doubt, only the bytes that are known will do.
func (k *kept) sound(function, name string, doubtful bool) bool {
	f := file{root: filepath.Dir(name), name: filepath.Base(name)}
	if !isFile(name) {
		return false
	}
	opened, err := f.open()
	if err != nil {
		return false
	}
	defer opened.Close()
	if _, err := buildID(opened); err != nil || !doubtful {
		return err == nil
	}
	sum, err := f.sum()
	k.mu.Lock()
	defer k.mu.Unlock()
	return err == nil && sum == k.Records[function].Sum
}

// pack fills in what is known about a package, and makes it if its binary or anything else in it is new.
func (k *kept) pack(p *packaged) error {
	fail := func(err error) error { return fmt.Errorf("pack %s: %w", p.function.Name, err) }
	k.mu.Lock()
	p.record = k.Records[p.function.Name]
	k.mu.Unlock()
	known, err := p.identify()
	if err != nil {
		return fail(err)
	}
	p.zip = filepath.Join(k.dir, "zip", p.function.Name+".zip")
	var recipe string
	if known {
		if recipe, err = p.recipe(); err != nil {
			return fail(err)
		}
	}
	if !known || p.Recipe != recipe || !p.Zip.is(p.zip) {
		// A new binary is read while it is packed.
		var group errgroup.Group
		described := p.record
		if !known {
			group.Go(func() error { return described.describe(p.binary) })
		}
		err := p.write(k.slots)
		if err := errors.Join(group.Wait(), err); err != nil {
			return fail(err)
		}
		p.Sum, p.Modules, p.ModulesProblem = described.Sum, described.Modules, described.ModulesProblem
		if p.Recipe, err = p.recipe(); err != nil {
			return fail(err)
		}
		p.Packed, p.DistZip = nil, stamp{} // dist has another package, if any
		for _, f := range p.files() {
			p.Packed = append(p.Packed, f.path)
		}
	}
	k.mu.Lock()
	k.Records[p.function.Name] = p.record
	k.mu.Unlock()
	return nil
}

// identify says whether the binary is the one that is known. If it is not, nothing is known about it but its build ID and its size.
func (p *packaged) identify() (known bool, err error) {
	binary, err := p.binary.open()
	if err != nil {
		return false, err
	}
	defer binary.Close()
	id, err := buildID(binary)
	if err == nil && id == p.ID && p.binary.size == p.Size {
		return true, nil
	}
	p.record = record{ID: id, Size: p.binary.size}
	return false, nil
}

// describe reads a binary.
func (r *record) describe(f file) (err error) {
	if r.Sum, err = f.sum(); err != nil {
		return err
	}
	binary, err := f.open()
	if err != nil {
		return err
	}
	defer binary.Close()
	if r.Modules, err = modules(binary); err != nil {
		r.ModulesProblem = err.Error()
	}
	return nil
}

// recipe sums up what goes into the package.
func (p *packaged) recipe() (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, packLevel, segmentSize, p.Sum)
	for _, f := range p.included {
		sum, err := f.sum()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q %v %s\n", f.path, f.mode(), sum)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// write makes the package.
func (p *packaged) write(slots slots) (err error) {
	if err := os.MkdirAll(filepath.Dir(p.zip), 0o700); err != nil {
		return err
	}
	fresh := p.zip + ".new"
	archive, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(fresh))
		}
	}()
	sum := sha256.New()
	err = pack(io.MultiWriter(archive, sum), slots, p.files())
	if err := errors.Join(err, archive.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh, p.zip); err != nil {
		return err
	}
	p.ZipSum = hex.EncodeToString(sum.Sum(nil))
	p.Zip, err = stampOf(p.zip)
	p.ZipSize = p.Zip.Size
	return err
}

// placed remembers the copies in dist, to know them again without reading them.
func (k *kept) placed(root string, packages []packaged) {
	dist := filepath.Join(root, distFolder)
	for _, p := range packages {
		r := k.Records[p.function.Name]
		r.DistBinary, _ = stampOf(filepath.Join(dist, p.function.Name, bootstrapName))
		r.DistZip, _ = stampOf(filepath.Join(dist, p.function.Name+".zip"))
		k.Records[p.function.Name] = r
	}
}

// inDist says whether dist has the bootstrap and the zip that are known.
func (r record) inDist(dist, function string) (bootstrap, zip bool) {
	return r.DistBinary.regular(filepath.Join(dist, function, bootstrapName)), r.DistZip.regular(filepath.Join(dist, function+".zip"))
}

// regular says whether a path is a regular file, itself and not through a link, with this stamp.
func (s stamp) regular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && s == (stamp{info.Size(), info.ModTime().UnixNano()}) && s.Time != 0
}

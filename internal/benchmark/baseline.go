package benchmark

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/files"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/quotas"
)

// Baseline is a measurement to compare later ones with, and the programs that were measured, so that they can be run again beside the
// later ones. A program is run only from a baseline that this user's golam has sealed: it could come from anywhere.
type Baseline struct {
	saved  savedBaseline
	sealed bool
}

// savedBaseline is the file of a baseline.
type savedBaseline struct {
	Format int `json:"format"`
	// Result is what was measured then, for people and scripts to read.
	Result    json.RawMessage `json:"result"`
	System    string          `json:"system"` // of the programs
	Functions []savedFunction `json:"functions"`
	// Seal is the HMAC-SHA256 of the baseline without it, by this user's key.
	Seal string `json:"seal"`
}

type savedFunction struct {
	Name      string `json:"name"`
	Arch      string `json:"arch"`
	Zip       int64  `json:"zipBytes"`
	Bootstrap int64  `json:"bootstrapBytes"`
	// Program is the bootstrap for the system, compressed by gzip in the file and not in memory.
	Program []byte `json:"program"`
}

const baselineFormat = 1

// Limits of a baseline's file, of its programs, and of the number of these, far beyond what golam writes.
const (
	maxBaseline  = 512 << 20
	maxProgram   = quotas.MaxUnzipped
	maxFunctions = 100
)

// Save writes a baseline as a whole or not at all. The key that seals it is in the folder cache, made when it is first needed.
func (r Result) Save(name, cache string) error {
	baseline := savedBaseline{Format: baselineFormat, System: r.Machine.System}
	var err error
	if baseline.Result, err = json.Marshal(r); err != nil {
		return fmt.Errorf("save the baseline: %w", err)
	}
	for _, f := range r.Functions {
		saved := savedFunction{Name: f.Name, Arch: f.Arch, Zip: f.Zip, Bootstrap: f.Bootstrap}
		if saved.Program, err = compress(f.program); err != nil {
			return fmt.Errorf("save the baseline: %w", err)
		}
		baseline.Functions = append(baseline.Functions, saved)
	}
	key, err := sealKey(cache, true)
	if err != nil {
		return fmt.Errorf("save the baseline: make the key that seals it: %w", err)
	}
	if baseline.Seal, err = baseline.sealWith(key); err != nil {
		return fmt.Errorf("save the baseline: %w", err)
	}
	data, err := json.Marshal(baseline)
	if err == nil {
		err = replace(name, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save the baseline: %w", err)
	}
	return nil
}

// CheckSave finds out early that a baseline could not be saved. It is a [misuse.Error].
func CheckSave(name string) error {
	if name == "" {
		return misuse.New(`--save "": name a file to write`)
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return misuse.New("--save %s: it is not a file: name a file to write", name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return misuse.New("--save %s: %v", name, err)
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return misuse.New("--save %s: there is no folder %s: make it first", name, filepath.Dir(name))
	}
	if err := tryFolder(filepath.Dir(name)); err != nil {
		return misuse.New("--save %s: %v: name a file in a folder that can be written to", name, err)
	}
	return nil
}

// tryFolder finds out whether a file can be made in a folder.
func tryFolder(dir string) error {
	file, err := os.CreateTemp(dir, ".golam-*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// replace writes a file as a whole or not at all.
func replace(name string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".golam-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// LoadBaseline reads what Save wrote. It is a [misuse.Error] if there is no such file or it is no baseline.
func LoadBaseline(name, cache string) (*Baseline, error) {
	if name == "" {
		return nil, misuse.New(`--compare "": name a file that golam bench --save made`)
	}
	data, err := files.Read(name, maxBaseline)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, misuse.New("there is no baseline %s: make one with golam bench --save %s", name, name)
	case errors.Is(err, files.ErrIrregular):
		return nil, misuse.New("%s is not a file: name one that golam bench --save made", name)
	case errors.Is(err, files.ErrTooLarge):
		return nil, misuse.New("%s is too large for a baseline: name one that golam bench --save made", name)
	case err != nil:
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	key, err := sealKey(cache, false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the key that seals baselines: %w", err)
	}
	baseline, err := parseBaseline(data, key)
	if err != nil {
		return nil, misuse.New("%s is no baseline of golam bench: %v: save it again", name, err)
	}
	return baseline, nil
}

// Whatever of a baseline is shown could come from anywhere, so it has these forms.
var (
	systemName = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	archName   = regexp.MustCompile(`^[a-z0-9_]+$`)
)

// parseBaseline reads a baseline. Without a key it is not sealed.
func parseBaseline(data, key []byte) (*Baseline, error) {
	var saved savedBaseline
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&saved); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	switch {
	case saved.Format != baselineFormat:
		return nil, fmt.Errorf("its format is %d, and this golam reads %d", saved.Format, baselineFormat)
	case len(saved.Functions) == 0 || len(saved.Functions) > maxFunctions:
		return nil, fmt.Errorf("it has %d functions", len(saved.Functions))
	case !systemName.MatchString(saved.System):
		return nil, fmt.Errorf("%q is no system such as linux/amd64", saved.System)
	}
	baseline := &Baseline{saved: saved}
	if key != nil {
		want, err := saved.sealWith(key)
		if err != nil {
			return nil, err
		}
		baseline.sealed = hmac.Equal([]byte(want), []byte(saved.Seal))
	}
	for i := range baseline.saved.Functions {
		f := &baseline.saved.Functions[i]
		if !quotas.IsName(f.Name) || f.Zip <= 0 || f.Bootstrap <= 0 {
			return nil, fmt.Errorf("function %d has no name or no size", i+1)
		}
		if !archName.MatchString(f.Arch) {
			return nil, fmt.Errorf("function %d is for %q, which is no architecture", i+1, f.Arch)
		}
		if !baseline.sealed {
			f.Program = nil
			continue
		}
		var err error
		if f.Program, err = decompress(f.Program); err != nil {
			return nil, fmt.Errorf("the program of %s: %w", f.Name, err)
		}
	}
	return baseline, nil
}

// check refuses a baseline that lacks a function, before anything is measured.
func (b *Baseline) check(weight build.Weight) error {
	if b == nil {
		return nil
	}
	var known []string
	for _, f := range b.saved.Functions {
		known = append(known, f.Name)
	}
	for _, f := range weight.Functions {
		if b.function(f.Name) == nil {
			return misuse.New("the baseline does not have the function %s, it has %s: name one of these, or save a baseline anew", f.Name, names(known))
		}
	}
	return nil
}

// function is nil if the baseline doesn't have it.
func (b *Baseline) function(name string) *savedFunction {
	if b == nil {
		return nil
	}
	for i := range b.saved.Functions {
		if b.saved.Functions[i].Name == name {
			return &b.saved.Functions[i]
		}
	}
	return nil
}

// incomparable says why the baseline's programs can't be run here, or "".
func (b *Baseline) incomparable() string {
	switch {
	case b.saved.System != runtime.GOOS+"/"+runtime.GOARCH:
		return fmt.Sprintf("the baseline is of a machine with %s: times and memory can't be compared, sizes can", b.saved.System)
	case !b.sealed:
		return "the baseline was saved by another user, on another machine, or has been changed: golam does not run its program, so times " +
			"and memory can't be compared, sizes can"
	}
	return ""
}

// sealWith computes the seal.
func (s savedBaseline) sealWith(key []byte) (string, error) {
	s.Seal = ""
	data, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

const sealKeyBytes = 32

// sealKey reads this user's key, or makes it.
func sealKey(cache string, create bool) ([]byte, error) {
	dir := filepath.Join(cache, "golam")
	name := filepath.Join(dir, "bench.key")
	key, err := os.ReadFile(name)
	if err == nil && len(key) == sealKeyBytes || err != nil && (!create || !errors.Is(err, fs.ErrNotExist)) {
		return key, err
	}
	if !create {
		return nil, fs.ErrNotExist // what is there is no key
	}
	spoilt := err == nil
	key = make([]byte, sealKeyBytes)
	_, _ = rand.Read(key) // it never fails (crypto/rand)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(dir, ".bench-*") // mode 0600
	if err != nil {
		return nil, err
	}
	_, err = file.Write(key)
	if err = errors.Join(err, file.Close()); err == nil && spoilt {
		err = os.Remove(name)
	}
	if err == nil {
		err = os.Link(file.Name(), name) // and never in place of a key, which other baselines may be sealed with by now
	}
	removed := os.Remove(file.Name())
	switch {
	case errors.Is(err, fs.ErrExist): // another golam was first
		return sealKey(cache, false)
	case err != nil || removed != nil:
		return nil, errors.Join(err, removed)
	}
	return key, nil
}

func compress(program []byte) ([]byte, error) {
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, err := writer.Write(program)
	err = errors.Join(err, writer.Close())
	return compressed.Bytes(), err
}

func decompress(compressed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	program, err := io.ReadAll(io.LimitReader(reader, maxProgram+1))
	if err == nil && len(program) > maxProgram {
		err = errors.New("it is too large")
	}
	return program, err
}

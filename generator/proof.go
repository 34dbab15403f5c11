package generator

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A journal can come with somebody's files: in a clone, in an archive. Recover carries out only what this user's golam began. The proof is
// a code made with a key that never leaves the user's cache folder, over what identifies the journal's folder on this machine: so neither
// a journal from elsewhere nor the copy of a real one passes.
const (
	proofName = "proof" // in the journal, made before anything else but the lock
	keyName   = "journal-key"
	keySize   = 32
)

// seal is the code for a text that belongs to a journal.
func seal(key []byte, identity, text string) string {
	code := hmac.New(sha256.New, key)
	fmt.Fprintf(code, "golam journal\n%q\n%s", identity, text)
	return hex.EncodeToString(code.Sum(nil))
}

// journalKey reads the user's key. With create it makes one if there is none.
func journalKey(create bool) ([]byte, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "golam")
	name := filepath.Join(folder, keyName)
	key, err := readSmall(name)
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("%s is not a key of golam: remove it", name)
	}
	if !errors.Is(err, fs.ErrNotExist) || !create {
		return key, err
	}
	const private = 0o700
	if err := os.MkdirAll(folder, private); err != nil {
		return nil, err
	}
	fresh, err := os.CreateTemp(folder, keyName+"-*") // only its owner can read it
	if err != nil {
		return nil, err
	}
	defer os.Remove(fresh.Name()) //nolint:errcheck // it may have been renamed
	key = make([]byte, keySize)
	_, _ = rand.Read(key) // it never fails
	_, err = fresh.Write(key)
	if err = errors.Join(err, fresh.Close()); err != nil {
		return nil, err
	}
	// A link appears whole, and does not replace the key of another golam. Not every file system has links.
	if err := os.Link(fresh.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(fresh.Name(), name); err != nil {
			return nil, err
		}
	}
	return journalKey(false)
}

// readSmall reads a small file, and never waits for a named pipe.
func readSmall(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %s, not a file of golam", name, kind(info))
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	const most = 1 << 10
	return io.ReadAll(io.LimitReader(file, most))
}

// prove writes the proof into a new journal. Where no key can be kept, the journal works all the same, but nobody recovers what a killed
// golam leaves in it.
func (j *journal) prove() error {
	key, err := journalKey(true)
	if err != nil {
		key = make([]byte, keySize)
		_, _ = rand.Read(key)
	}
	identity, err := j.identity()
	if err != nil {
		return err
	}
	j.key = key
	name := journalName + "/" + proofName
	if err := j.removeAll(name); err != nil { // a golam that was killed here may have begun it
		return err
	}
	return j.create(name, []byte(seal(key, identity, "")), 0o600)
}

func (j *journal) identity() (string, error) {
	info, err := j.Lstat(journalName)
	if err != nil {
		return "", err
	}
	return identity(info, filepath.Join(j.target.path, journalName)), nil
}

// sealed checks the code for a text.
func (j *journal) sealed(code []byte, text string) error {
	identity, err := j.identity()
	if err != nil {
		return err
	}
	if j.key == nil {
		if j.key, err = journalKey(false); err != nil {
			return err
		}
	}
	if !hmac.Equal(code, []byte(seal(j.key, identity, text))) {
		return errors.New("this user's golam did not make it")
	}
	return nil
}

// origin says whose a journal is, as far as can be known without touching it.
type origin int

const (
	nobodys origin = iota // there is none
	begun                 // it holds nothing but what each journal begins with
	own                   // this user's golam made it
	foreign
)

// journalOrigin looks at the journal in a target. It opens regular files only.
func journalOrigin(t target) (origin, error) {
	d, err := openDisk(t.path, nil)
	if err != nil {
		return nobodys, err
	}
	defer d.Close()
	j := &journal{disk: d, target: t}
	var found origin
	for range lockAttempts { // a golam that lives may finish in between
		var again bool
		if found, again = j.origin(); !again {
			break
		}
	}
	return found, nil
}

func (j *journal) origin() (found origin, again bool) {
	info, err := j.Lstat(journalName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nobodys, false
	case err != nil || !info.IsDir():
		return foreign, false
	}
	names, err := readNames(j.Root, journalName)
	if err != nil {
		return foreign, errors.Is(err, fs.ErrNotExist)
	}
	found = begun
	for _, name := range names {
		info, err := j.Lstat(journalName + "/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			return foreign, true
		}
		switch {
		case name != lockName && name != proofName:
			found = own // if the proof says so
		case err != nil || !info.Mode().IsRegular():
			return foreign, false
		}
	}
	if found == begun {
		return begun, false
	}
	code, err := readSmall(filepath.Join(j.Name(), journalName, proofName))
	if err != nil {
		return foreign, errors.Is(err, fs.ErrNotExist)
	}
	if err := j.sealed(code, ""); err != nil {
		return foreign, false
	}
	return own, false
}

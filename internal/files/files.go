// Package files reads files that somebody else may have made: files named on the command line, and those of a cloned repository. What
// looks like a file may be a named pipe, and reading one waits for ever if nobody writes to it.
//
// What belongs here: opening and reading that neither hangs nor takes more than it should. What does not: what the content means.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// ErrIrregular says that something is no regular file.
var ErrIrregular = errors.New("it is not a regular file")

// ErrTooLarge says that a file has more than the reader takes.
var ErrTooLarge = errors.New("it is too large")

// ErrNoWriter says that a named pipe is empty because no process writes to it.
var ErrNoWriter = errors.New("it is a pipe that no process writes to: start the writer first, or use a file")

// Open opens a regular file for reading. Links are followed.
func Open(name string) (*os.File, error) {
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: ErrIrregular}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Read reads a regular file that has most bytes or fewer. Links are followed.
func Read(name string, most int64) ([]byte, error) {
	file, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("%w: it has more than %d bytes", ErrTooLarge, most)}
	}
	return content, err
}

// ReadInput reads what somebody named as input, until it ends or the context does. That may be a pipe or a device too, such as
// /dev/stdin or the /dev/fd/63 of a shell's <(command). Of what has more than most bytes it returns one byte more than that.
func ReadInput(ctx context.Context, name string, most int64) ([]byte, error) {
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() || info.IsDir() {
		return io.ReadAll(io.LimitReader(file, most+1))
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil && len(content) == 0 && info.Mode()&fs.ModeNamedPipe != 0:
		return nil, &fs.PathError{Op: "read", Path: name, Err: ErrNoWriter}
	}
	return content, err
}

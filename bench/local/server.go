package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/golam-cli/golam/internal/local"
)

// numbersOfClients that take turns, each with a function of its own that may have as many environments.
var numbersOfClients = []int{1, 8, 64}

func functionName(clients int) string { return fmt.Sprintf("for-%d", clients) }

// usage is what a server process uses: 0 where there is no /proc.
type usage struct {
	Resident int64 // bytes of memory
	Files    int   // open ones
}

// server is a local Lambda in a process of its own.
type server struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
	ask   func(command string) (usage, error)
}

// startServer starts this program again. The server ends when its standard input does, so it does not outlive the caller.
func startServer(ctx context.Context) (*server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), roleVariable+"=server")
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = patience
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.Cancel = stdin.Close
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, stdin: stdin}
	replies := json.NewDecoder(stdout)
	s.ask = func(command string) (usage, error) {
		var u usage
		if _, err := fmt.Fprintln(stdin, command); err != nil {
			return u, fmt.Errorf("asking the server: %w", err)
		}
		if err := replies.Decode(&u); err != nil {
			return u, fmt.Errorf("the server's reply: %w", err)
		}
		return u, nil
	}
	if err := replies.Decode(&s.url); err != nil {
		return nil, errors.Join(fmt.Errorf("the server did not start: %w", err), s.stop())
	}
	return s, nil
}

// stop ends the server and returns when it has gone.
func (s *server) stop() error {
	s.stdin.Close()
	return s.cmd.Wait()
}

// serve is the server: it says its URL, then answers each command with its usage, until there are no more.
func serve(ctx context.Context, stdin io.Reader, stdout io.Writer) (err error) {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := local.Config{InvokeAddress: "127.0.0.1:0"}
	for _, clients := range numbersOfClients {
		cfg.Functions = append(cfg.Functions, local.Function{
			Name: functionName(clients), Bootstrap: program, Dir: os.TempDir(), Concurrency: clients,
			Timeout: patience, InitTimeout: patience,
			Env: map[string]string{roleVariable: "function"},
		})
	}
	l, err := local.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, l.Close(ctx))
	}()
	replies := json.NewEncoder(stdout)
	if err := replies.Encode(l.InvokeURL()); err != nil {
		return err
	}
	for commands := bufio.NewScanner(stdin); commands.Scan(); {
		if commands.Text() == "reset" {
			for _, f := range cfg.Functions {
				if err := l.Reset(f.Name); err != nil {
					return err
				}
			}
		}
		u, err := ownUsage()
		if err != nil {
			return err
		}
		if err := replies.Encode(u); err != nil {
			return err
		}
	}
	return nil
}

// ownUsage is what this process uses once its garbage has been collected.
func ownUsage() (usage, error) {
	debug.FreeOSMemory()
	files, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return usage{}, nil
	}
	if err != nil {
		return usage{}, err
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return usage{}, err
	}
	// proc(5): the second field is the resident pages.
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return usage{pages * int64(os.Getpagesize()), len(files)}, err
}

package cmd_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/golam-cli/golam/cmd"
	"github.com/golam-cli/golam/internal/ports"
	"github.com/golam-cli/golam/internal/terminal"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"golam": func() { os.Exit(cmd.Run(context.Background(), os.Args[1:], terminal.System())) },
	})
}

// TestScripts runs the command line as scripts: testdata/script/*.txt.
func TestScripts(t *testing.T) {
	refusing, err := ports.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = refusing.Close() })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("REFUSING", refusing.Address) // nothing listens there
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("HOME", env.WorkDir+"/home")
			return errors.Join(goCaches(env), os.MkdirAll(env.WorkDir+"/home", 0o755))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"journal": leaveJournal,
			"exit":    exitCode,
			"json":    isJSON,
			"count":   countLines,
		},
	})
}

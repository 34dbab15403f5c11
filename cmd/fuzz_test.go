package cmd_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golam-cli/golam/cmd"
	"github.com/golam-cli/golam/internal/terminal"
)

// FuzzNew runs the whole of `golam new` on random folders, flags and answers: nothing outside the target is ever written, and nothing at
// all when it refuses.
func FuzzNew(f *testing.F) {
	f.Add("demo", "name: demo\n", "", "")
	f.Add("../../evil", "", "--name", "x")
	f.Add("a/b/c", "claims: [a=email]\ntrigger: v3\n", "--module", "example.com/x")
	f.Add("demo/../other", "{}", "--claims", "a=email,b=custom:b")
	f.Add("keep.txt", "name: x\n", "--overwrite", "")
	f.Add("link", "name: x\n", "--overwrite", "")
	f.Add(".", "name: x\n", "--overwrite", "")
	f.Fuzz(func(t *testing.T, dir, answers, flag, value string) {
		if len(dir) > 100 || strings.ContainsRune(dir, 0) {
			t.Skip("the system refuses such paths by itself")
		}
		sandbox := t.TempDir()
		work := filepath.Join(sandbox, "work")
		put(t, filepath.Join(sandbox, "keep.txt"), "mine")
		put(t, filepath.Join(work, "keep.txt"), "mine")
		put(t, filepath.Join(sandbox, "outside", "keep.txt"), "mine")
		link(t, filepath.Join("..", "outside"), filepath.Join(work, "link"))
		target := filepath.Join(work, dir)
		if !strings.HasPrefix(target, sandbox+string(filepath.Separator)) {
			t.Skip("a folder outside the sandbox: it is what the user asked for")
		}
		before := files(t, sandbox)

		args := []string{"new", work + string(filepath.Separator) + dir, "--answers", "-", "--no-git"}
		if flag != "" {
			args = append(args, flag)
		}
		if value != "" {
			args = append(args, value)
		}
		if strings.HasPrefix(flag, "--git") || strings.HasPrefix(value, "--git") || !strings.HasPrefix(flag, "-") && flag != "" {
			t.Skip("another folder, or git")
		}
		streams := terminal.Streams{In: strings.NewReader(answers), Out: io.Discard, Err: io.Discard, Getenv: func(string) string { return "" }}
		code := cmd.Run(t.Context(), args, streams)
		if code != 0 && code != 1 && code != 2 {
			t.Errorf("exit code %d", code)
		}

		after := files(t, sandbox)
		for path, content := range before {
			if is, there := after[path]; !there || !bytes.Equal(is, content) {
				t.Errorf("%s was changed", path)
			}
		}
		for path := range after {
			_, old := before[path]
			full := filepath.Join(sandbox, path)
			inside := strings.HasPrefix(full, target+string(filepath.Separator))
			if strings.HasSuffix(path, "/") { // the target itself, and the folders above it
				inside = inside || strings.HasPrefix(target+string(filepath.Separator), full+string(filepath.Separator))
			}
			if !old && (!inside || code != 0) {
				t.Errorf("exit code %d, and %s was written", code, path)
			}
		}
		if _, err := os.Stat(filepath.Join(sandbox, "outside", "golam.yaml")); err == nil {
			t.Error("written through a link")
		}
	})
}

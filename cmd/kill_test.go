package cmd_test

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/generator"
	"github.com/golam-cli/golam/internal/counts"
	"github.com/golam-cli/golam/internal/testkit"
)

// kills is how often the tests kill golam: GOLAM_KILLS, or few.
func kills(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("GOLAM_KILLS"); text != "" {
		count, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	if testing.Short() {
		return 5
	}
	return 25
}

// TestKilledNew kills `golam new` at random moments: the target is absent or whole, and the next run sweeps what was left.
func TestKilledNew(t *testing.T) {
	golam := program(t)
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, who := range []string{"GIT_AUTHOR", "GIT_COMMITTER"} {
		t.Setenv(who+"_NAME", "Ada")
		t.Setenv(who+"_EMAIL", "ada@example.com")
	}
	for _, flags := range [][]string{{"--no-git"}, {"--git"}} {
		t.Run(flags[0], func(t *testing.T) {
			folder := t.TempDir()
			target := filepath.Join(folder, "demo")
			args := append([]string{"new", target, "--yes"}, flags...)
			whole := undisturbed(t, golam, args)
			want := files(t, target)
			testkit.Remove(t, target)

			absent, complete, swept := 0, 0, 0
			for range kills(t) {
				killAfter(t, golam, args, whole)
				if _, err := os.Stat(target); err == nil {
					complete++
					compare(t, files(t, target), want)
					if flags[0] == "--git" {
						wholeRepository(t, target)
					}
					testkit.Remove(t, target)
				} else {
					absent++
				}
				left := len(names(t, folder))
				if output, err := exec.CommandContext(t.Context(), golam, args...).CombinedOutput(); err != nil {
					t.Fatalf("the next run: %v\n%s", err, output)
				}
				compare(t, files(t, target), want)
				if flags[0] == "--git" {
					wholeRepository(t, target)
				}
				if now := names(t, folder); len(now) != 1 {
					t.Fatalf("the next run leaves %q", now)
				}
				if left > 0 {
					swept++
				}
				testkit.Remove(t, target)
			}
			counts.Report(t, "golam new %s killed %d times: absent %d, whole %d; swept by the next run %d", flags[0], absent+complete, absent, complete, swept)
		})
	}
}

// wholeRepository wants every file committed, and nothing missing or broken in .git.
func wholeRepository(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"fsck", "--strict"}, {"status", "--porcelain"}, {"rev-parse", "--quiet", "--verify", "HEAD^{tree}"}} {
		output, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...).CombinedOutput()
		if err != nil || args[0] == "status" && len(output) > 0 {
			t.Fatalf("git %s: %v\n%s", args[0], err, output)
		}
	}
}

// TestKilledOverwrite kills `golam new --overwrite`: each file is the old or the new one, and when it is recovered all are the one or the
// other.
func TestKilledOverwrite(t *testing.T) {
	golam := program(t)
	folder := t.TempDir()
	target, fresh := filepath.Join(folder, "demo"), filepath.Join(folder, "fresh")
	v2 := []string{"new", target, "--name", "demo", "--trigger", "v2", "--no-git", "--overwrite"}
	v3 := []string{"new", target, "--name", "demo", "--trigger", "v3", "--no-git", "--overwrite"}
	undisturbed(t, golam, []string{"new", fresh, "--name", "demo", "--trigger", "v3", "--no-git"})
	newFiles := files(t, fresh)
	undisturbed(t, golam, v2)
	oldFiles := files(t, target)
	whole := undisturbed(t, golam, v3)

	finished, undone := 0, 0
	for range kills(t) {
		testkit.Remove(t, target)
		undisturbed(t, golam, v2)
		killAfter(t, golam, v3, whole)
		killed := files(t, target)
		for path, content := range killed {
			if strings.HasPrefix(path, ".golam") {
				continue // the journal
			}
			was, old := oldFiles[path]
			is, fresh := newFiles[path]
			if (!old || !bytes.Equal(content, was)) && (!fresh || !bytes.Equal(content, is)) {
				t.Fatalf("%s is neither the old file nor the new one", path)
			}
		}
		for path := range oldFiles {
			if _, there := killed[path]; !there {
				t.Fatalf("%s is gone", path)
			}
		}
		if _, err := generator.Recover(target); err != nil {
			t.Fatal(err)
		}
		recovered := files(t, target)
		switch string(recovered["golam.yaml"]) {
		case string(oldFiles["golam.yaml"]):
			compare(t, recovered, oldFiles)
			undone++
		default:
			for path := range oldFiles { // files of v2 alone stay: golam removes none
				if _, both := newFiles[path]; !both {
					delete(recovered, path)
				}
			}
			compare(t, recovered, newFiles)
			finished++
		}
	}
	counts.Report(t, "golam new --overwrite killed %d times: all new %d, all old %d", finished+undone, finished, undone)
}

// program builds golam.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "golam")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./golam").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return path
}

// undisturbed runs golam to its end and returns how long it took.
func undisturbed(t *testing.T, golam string, args []string) time.Duration {
	t.Helper()
	start := time.Now()
	if output, err := exec.CommandContext(t.Context(), golam, args...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, output)
	}
	return time.Since(start)
}

// killAfter starts golam and kills it after a random part of the time that it takes.
func killAfter(t *testing.T, golam string, args []string, whole time.Duration) {
	t.Helper()
	command := exec.CommandContext(t.Context(), golam, args...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(rand.N(whole*11/10), func() { _ = command.Process.Kill() })
	_ = command.Wait()
	timer.Stop()
}

// files reads what is in a folder: files, where links lead, and, with a slash at its end, each folder. Of .git it tells no more than that.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			found[filepath.ToSlash(relative)+"/"] = nil
			if entry.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(path)
			found[filepath.ToSlash(relative)] = []byte(to)
			return err
		}
		found[filepath.ToSlash(relative)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func compare(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d files and folders, want %d", len(got), len(want))
	}
	for path, content := range want {
		if is, there := got[path]; !there || !bytes.Equal(is, content) {
			t.Fatalf("%s is missing or another", path)
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

package gitignore

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/testkit"
)

// repository makes a repository with some files.
func repository(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	testkit.Run(t, root, nil, "git", "init", "-q")
	for name, content := range files {
		testkit.Write(t, filepath.Join(root, filepath.FromSlash(name)), content)
	}
	return root
}

// compare asks git about paths relative to root. Those that end in a slash are folders, which it makes.
func compare(t *testing.T, root string, paths []string) {
	t.Helper()
	for _, path := range paths {
		if strings.HasSuffix(path, "/") {
			if err := os.MkdirAll(filepath.Join(root, filepath.FromSlash(path)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	git := exec.CommandContext(t.Context(), "git", "-c", "core.excludesFile="+os.DevNull, "-c", "core.ignoreCase=false", "check-ignore", "--no-index", "-z", "--stdin")
	git.Dir = root
	input := make([]string, len(paths))
	for i, path := range paths {
		input[i] = strings.TrimSuffix(path, "/")
	}
	git.Stdin = strings.NewReader(strings.Join(input, "\x00"))
	output, err := git.Output()
	if err != nil && git.ProcessState.ExitCode() != 1 { // 1: it ignores none
		t.Fatal(err)
	}
	ignored := map[string]bool{}
	for path := range strings.SplitSeq(string(output), "\x00") {
		ignored[path] = true
	}
	repository := Find(root)
	for _, path := range input {
		name := filepath.Join(root, filepath.FromSlash(path))
		info, err := os.Stat(name)
		if got := repository.Ignores(name, err == nil && info.IsDir()); got != ignored[path] {
			patterns, _ := os.ReadFile(filepath.Join(root, strings.Split(path, "/")[0], ".gitignore"))
			t.Errorf("%q: %v, git says %v by %q", path, got, ignored[path], patterns)
		}
	}
}

// TestPatterns has one pattern a folder, and what may match it.
func TestPatterns(t *testing.T) {
	files, paths := map[string]string{}, []string{}
	for i, test := range []struct {
		pattern string
		paths   string
	}{
		{"*.log\n!keep.log\n", "a.log keep.log x/a.log x/keep.log a.logs .log"},
		{"out/\n", "out out/ out/a x/out x/out/a"},
		{"/out\n", "out out/ x/out"},
		{"/out/\n!out/a\n", "out/a out/b"},
		{"out/*\n!out/a\n", "out out/ out/a out/b out/x/a"},
		{"doc/*.txt\n", "doc/a.txt doc/x/a.txt x/doc/a.txt"},
		{"**/deep/x\n", "deep/x p/deep/x p/q/deep/x deep/y deepx"},
		{"a/**/b\n", "a/b a/x/b a/x/y/b ab a/xb b"},
		{"a/**\n", "a a/ a/b a/b/c"},
		{"**\n", "a a/b"},
		{"a**/b\n", "ab a/b ax/b ax/y/b b"},
		{"?a**/b\n", "xab xa/b xax/b xax/y/b"},
		{"a/b**c/d\n", "a/bc/d a/bx/c/d a/bxc/d"},
		{"**/*.go\n!**/x/*.go\n", "a.go x/a.go y/x/a.go"},
		{"a\\*b\n\\!x\n\\#hash\n#comment\n", "a*b axb !x #hash #comment"},
		{"trailing  \nspace\\ \ninner \\  \ntab\t\n", "trailing space|  trailing|| tab inner||"},
		{"return\r\nlast\r", "return last"},
		{"\ufeffmark\n", "mark \ufeffmark"},
		{"[ab].r\n[!ab].n\n[^ab].m\n[a-cx].s\n", "a.r c.r a.n c.n a.m c.m b.s d.s x.s -.s"},
		{"[]a].r\n[!]].n\n[a-].s\n[\\]].t\n[--0].u\n", "].r a.r b.r ].n x.n -.s b.s ].t \\.t ..u 1.u"},
		{"[[:digit:]x].r\n[[:foo:]].n\n[[:alpha].s\n[![:space:]].t\n[[:punct:]]y\n", "1.r x.r a.r f.n :.s l.s a.t |.t .y x/y /y"},
		{"[z-a].r\n[a\nb[\nc\\\n", "z.r [a a b[ b c\\ c"},
		{"a[+-9]b\nx?y\nx/[^a]z\n", "a/b a1b x/y xéy x/bz"},
		{"é[é]?\n*é\n", "éé éé. xé é"},
		{"/\n//\n!\n!!\n\n", "a !"},
		{"*\n!*/\n!*.go\n", "a a/ a.go x/a x/a.go"},
		{"a/**\\/b\n", "a/b a/x/b a/x/y/b"},
		{"a/*/b\n*/c\n", "a/b a/x/b a/x/y/b c x/c x/y/c"},
		{"***/x\n/**/y\n**/\n", "x a/x y a/y a a/"},
	} {
		folder := fmt.Sprintf("%02d/", i)
		files[folder+".gitignore"] = test.pattern
		for path := range strings.FieldsSeq(test.paths) {
			paths = append(paths, folder+strings.ReplaceAll(path, "|", " "))
		}
	}
	// A file of the table may be a folder of it, too: such folders come last, in a repository of their own.
	isFolder := func(path string) bool { return strings.HasSuffix(path, "/") }
	compare(t, repository(t, files), slices.DeleteFunc(slices.Clone(paths), isFolder))
	compare(t, repository(t, files), slices.DeleteFunc(paths, func(path string) bool { return !isFolder(path) }))
}

// TestRandomPatterns makes patterns of the characters that mean something, and paths that they may match.
func TestRandomPatterns(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 39)) //nolint:gosec // the same ones in each run
	pick := func(most int, from ...string) string {
		var b strings.Builder
		for range 1 + random.IntN(most) {
			b.WriteString(from[random.IntN(len(from))])
		}
		return b.String()
	}
	files, paths := map[string]string{}, []string{}
	for i := range 600 {
		folder := fmt.Sprintf("%04d/", i)
		var patterns strings.Builder
		for range 1 + random.IntN(3) {
			patterns.WriteString(pick(1, "", "", "!", "/", "\\", "#") +
				pick(7, "a", "b", "c", "a", "b", "/", "/", "*", "*", "**", "**/", "/**", "?", "[ab]", "[!a]", "[^b-c]", "[", "]", "[[:alpha:]]", "-", "\\", " ", ":") +
				pick(1, "", "", "", "/", " ", "\r") + "\n")
		}
		files[folder+".gitignore"] = patterns.String()
		if random.IntN(3) == 0 {
			files[folder+"a/.gitignore"] = pick(1, "!", "/", "") + pick(2, "a", "b", "c", "*") + "\n"
		}
		for range 12 {
			path := pick(5, "a", "b", "c", "a/", "b/", "c/", "-", "*")
			paths = append(paths, folder+strings.TrimSuffix(path, "/"))
		}
	}
	compare(t, repository(t, files), paths)
}

// TestFolders looks at the files of patterns in several folders, and at what is outside of them.
func TestFolders(t *testing.T) {
	root := repository(t, map[string]string{
		".gitignore":        "# comment\n\n*.log\n!keep.log\n/out/\nbuild/\ndoc/*.txt\n**/deep/x\na/**/b\nspace\\ \n\\#hash\n?.q\n[ab].r\ntrailing/  \n",
		"sub/.gitignore":    "!again.log\n/own\nnested/\n",
		"out/.gitignore":    "!a.go\n",
		".git/info/exclude": "private\nkeep.log\n",
	})
	compare(t, root, []string{
		"a.log", "keep.log", "out/a.go", "sub/out/a.go", "build/a.go", "sub/build/x/y.go", "doc/a.txt", "doc/sub/a.txt", "p/deep/x", "deep/x",
		"a/b", "a/x/y/b", "main.go", "sub/again.log", "again.log", "sub/other.log", "sub/own", "own", "sub/x/own", "sub/nested/a.go", "private",
		"sub/private", "#hash", "space ", "x.q", "xy.q", "a.r", "c.r", "trailing/a", ".gitignore", "sub/main.go",
	})
	inside := Find(filepath.Join(root, "sub"))
	if !inside.Ignores(filepath.Join(root, "a.log"), false) || inside.Ignores(filepath.Join(filepath.Dir(root), "a.log"), false) || inside.Ignores(root, true) {
		t.Error("a repository that is found from a folder in it does not know its own limits")
	}
	outside := testkit.Folder(t, map[string]string{".gitignore": "*.log\n"})
	if !Find(outside).Ignores(filepath.Join(outside, "a.log"), false) {
		t.Error("a folder outside of a repository has no patterns")
	}
}

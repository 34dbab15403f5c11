package shell

import (
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// readBack is what a shell makes of a command that is pasted into it.
func readBack(t *testing.T, text string) []string {
	t.Helper()
	script := `golam() { for word; do printf '%s\0' "$word"; done; }` + "\n" + text + "\n"
	command := exec.CommandContext(t.Context(), "sh")
	command.Stdin = strings.NewReader(script) // as a terminal's: line by line
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	words := strings.Split(string(output), "\x00")
	return words[:len(words)-1]
}

// A command that golam shows can be pasted into a shell, and its lines fit the terminal.
func TestLines(t *testing.T) {
	long := strings.Repeat("tenant_id=custom:tenant_id,", 20) + "a=email"
	commands := [][]string{
		{"demo"},
		{"demo", "--trigger", "v3", "--claims", long, "--yes"},
		{"my project's folder, which has a name that is longer than a line of the terminal is wide, and so on", "--name", "x", "--yes"},
		{"/srv/" + strings.Repeat("deep/", 60) + "demo", "--yes"},
		{"~/x", "~", "*", "$HOME", "`id`", `a\`, `\`, "", "a\"b", "'", "''", "#x", "a;b", "!x", "-n"},
		{"a\x1b[2Jb", "line\nbreak", "ends\n", "\n", "\u202ereversed", "\u009b", "bytes \xff\xfe", "tab\tx", strings.Repeat("\x07", 50) + "x"},
		{strings.Repeat("é", 100), strings.Repeat("漢字", 60), "--yes"},
		{strings.Repeat("'", 100)},
	}
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("abcdef-=,:'\\ \"$~#é漢\n")
	for range 30 {
		var words []string
		for range 1 + random.IntN(6) {
			word := make([]rune, random.IntN(120))
			for i := range word {
				word[i] = letters[random.IntN(len(letters))]
			}
			words = append(words, string(word))
		}
		commands = append(commands, words)
	}
	for _, words := range commands {
		for _, width := range []int{20, 60, defaultWidth, 100} {
			lines := Lines(append([]string{"golam"}, words...), width)
			if got := readBack(t, strings.Join(lines, "\n")); !slices.Equal(got, words) {
				t.Errorf("width %d:\n%s\nis read as %q, want %q", width, strings.Join(lines, "\n"), got, words)
			}
			for _, line := range lines {
				if columns(line) > width && !strings.Contains(line, "printf") && !strings.Contains(line, "\n") && !strings.Contains(line, `'\''`) {
					t.Errorf("%d columns of %d: %s", columns(line), width, line)
				}
				if strings.ContainsAny(line, "\x1b\x07\u202e\u009b") {
					t.Errorf("not fit for a terminal: %q", line)
				}
			}
		}
	}
}

// Nothing is broken that fits.
func TestLinesKeepWords(t *testing.T) {
	got := strings.Join(Lines([]string{"golam", "new", "demo", "--trigger", "v3", "--claims", "tenant_id=custom:tenant_id,plan=custom:plan,team=custom:team", "--yes"}, defaultWidth), "\n")
	const want = `  golam new demo --trigger v3 \
  --claims tenant_id=custom:tenant_id,plan=custom:plan,team=custom:team --yes`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

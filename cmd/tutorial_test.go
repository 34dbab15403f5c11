//go:build unix

package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/ptytest"
)

// block is a fenced block of a page.
type block struct{ kind, text string }

// blocks are the fenced blocks of a page in Markdown.
func blocks(page string) (found []block) {
	for {
		_, after, ok := strings.Cut(page, "\n```")
		if !ok {
			return found
		}
		kind, rest, _ := strings.Cut(after, "\n")
		text, rest, _ := strings.Cut(rest, "```")
		found = append(found, block{kind, text})
		page = "\n" + rest
	}
}

// step is a command of a block, with the here documents that belong to it, and what it is to print.
type step struct{ command, want string }

func steps(text string) (found []step) {
	end := ""
	for line := range strings.Lines(text) {
		last := len(found) - 1
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case isCommand:
			found = append(found, step{command: command})
			if strings.Contains(command, "<<'END'") {
				end = "END\n"
			}
		case end != "":
			found[last].command += line
			if line == end {
				end = ""
			}
		default:
			found[last].want += line
		}
	}
	return found
}

// like reports whether text has the lines of a pattern in their order, whatever is between and around them. "..." stands for anything.
func like(text, pattern string) bool {
	var expression strings.Builder
	expression.WriteString("(?s)")
	for line := range strings.Lines(pattern) {
		line = strings.TrimSpace(line)
		if line == "..." {
			continue
		}
		expression.WriteString(`.*`)
		for i, part := range strings.Split(line, "...") {
			if i > 0 {
				expression.WriteString(`[^\n]*`)
			}
			var words []string
			for _, word := range strings.Fields(part) {
				words = append(words, regexp.QuoteMeta(word))
			}
			expression.WriteString(`\s*` + strings.Join(words, `\s+`))
		}
		expression.WriteString(`[^\n]*\n`)
	}
	return regexp.MustCompile(expression.String()).MatchString(text + "\n")
}

// TestTutorial does what docs/tutorial.md says, and sees what it shows: commands and their output, and the screen of golam watch.
func TestTutorial(t *testing.T) {
	_, environ, mark := watchable(t)
	golam := program(t)
	page, err := os.ReadFile("../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	environ = append(environ, "PATH="+filepath.Dir(golam)+string(os.PathListSeparator)+os.Getenv("PATH"))
	dir := t.TempDir()
	var screen *ptytest.Terminal
	commands, screens := 0, 0
	for _, b := range blocks(string(page)) {
		if b.kind == "text" {
			screen.Until("the tutorial's\n"+b.text, func(shown string) bool { return like(shown, b.text) })
			screens++
			continue
		}
		for _, s := range steps(b.text) {
			commands++
			folder, isFolder := strings.CutPrefix(strings.TrimSpace(s.command), "cd ")
			switch {
			case isFolder:
				dir = filepath.Join(dir, folder)
			case strings.HasPrefix(s.command, "golam watch"):
				args := slices.Concat(strings.Fields(s.command)[1:], []string{"--address", "127.0.0.1:0", "--env", "GOLAM_TEST_WATCH"})
				command := exec.CommandContext(t.Context(), golam, args...)
				command.Dir, command.Env = dir, environ
				screen = ptytest.Start(t, 120, 50, command)
			default:
				command := exec.CommandContext(t.Context(), "sh", "-c", s.command)
				command.Dir, command.Env = dir, environ
				output, err := command.CombinedOutput()
				if err != nil || !like(string(output), s.want) {
					t.Fatalf("$ %s%v, it prints\n%s\nand the tutorial has\n%s", s.command, err, output, s.want)
				}
			}
		}
	}
	screen.Types("q")
	screen.Ends(0)
	nothingLeft(t, mark)
	t.Logf("%d commands and %d screens", commands, screens)
}

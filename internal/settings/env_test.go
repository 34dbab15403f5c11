package settings

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseEnv(t *testing.T) {
	env, err := ParseEnv([]byte("# comment\nA=1\nexport B='two words'\nC=\"line 1\nline 2\"\n\nD=\n"))
	if err != nil || len(env) != 4 || env["A"] != "1" || env["B"] != "two words" || env["C"] != "line 1\nline 2" || env["D"] != "" {
		t.Errorf("got %q, %v", env, err)
	}
	for text, problem := range map[string]string{
		"A=1\nhunter2 is secret\nB=2\n": "line 2",
		"hunter2\n":                     "line 1",
		"A=\"1\n2\"\n\nhunter2 x":       "line 4",
	} {
		if _, err := ParseEnv([]byte(text)); err == nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever is in a file, its variables are ones that a process can have, and an error tells nothing of it but a line or a name.
func FuzzEnv(f *testing.F) {
	f.Add("A=1\nexport B='x'\nC=\"${A}\n\"\n")
	f.Add("A=\x00\n")
	f.Fuzz(func(t *testing.T, text string) {
		env, err := ParseEnv([]byte(text))
		if err != nil {
			var number int
			_, notLine := fmt.Sscanf(err.Error(), "line %d is not of the form NAME=value", &number)
			if notLine == nil && (number < 1 || number > strings.Count(text, "\n")+1) {
				t.Errorf("%v, of %q", err, text)
			}
			if notLine != nil && !strings.HasPrefix(err.Error(), "the variable ") {
				t.Errorf("%q: %v", text, err)
			}
		}
		for name, value := range env {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
				t.Errorf("%q: the variable %q is %q", text, name, value)
			}
		}
	})
}

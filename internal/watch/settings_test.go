package watch

import (
	"strings"
	"testing"
)

func TestParseEnv(t *testing.T) {
	env, err := parseEnv([]byte("# comment\nA=1\nexport B='two words'\nC=\"line 1\nline 2\"\n\nD=\n"))
	if err != nil || len(env) != 4 || env["A"] != "1" || env["B"] != "two words" || env["C"] != "line 1\nline 2" || env["D"] != "" {
		t.Errorf("got %q, %v", env, err)
	}
	for text, problem := range map[string]string{
		"A=1\nhunter2 is secret\nB=2\n": "line 2",
		"hunter2\n":                     "line 1",
		"A=\"1\n2\"\n\nhunter2 x":       "line 4",
	} {
		if _, err := parseEnv([]byte(text)); err == nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzEnv(f *testing.F) {
	f.Add("A=1\nexport B='x'\nC=\"${A}\n\"\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = parseEnv([]byte(text)) })
}

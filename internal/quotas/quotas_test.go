package quotas

import (
	"strings"
	"testing"
	"time"
)

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "Token_customizer-2": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a/b": false, "..": false, "ä": false, "a\xff": false, "a\n": false,
	} {
		if IsName(name) != want {
			t.Errorf("%q: %v, want %v", name, !want, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		memory   int
		timeout  time.Duration
		problems []string
	}{
		{0, 0, nil},
		{128, time.Second, nil},
		{10240, 15 * time.Minute, nil},
		{127, -time.Second, []string{"a timeout of -1s: use up to 15m0s", "a memory size of 127 MB: use 128 to 10240"}},
		{10241, 15*time.Minute + time.Second, []string{"a timeout of 15m1s", "10241 MB"}},
		{-1, 0, []string{"-1 MB"}},
	} {
		err := Check(tt.memory, tt.timeout)
		if (err == nil) != (tt.problems == nil) {
			t.Errorf("%d MB, %s: %v", tt.memory, tt.timeout, err)
		}
		for _, problem := range tt.problems {
			if err != nil && !strings.Contains(err.Error(), problem) {
				t.Errorf("%d MB, %s: %v, want it to say %q", tt.memory, tt.timeout, err, problem)
			}
		}
	}
}

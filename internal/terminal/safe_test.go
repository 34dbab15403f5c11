package terminal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/golam-cli/golam/internal/terminal"
)

// hostile are characters that must not reach a terminal.
var hostile = map[string]string{
	"escape":               "\x1b[2J\x1b]0;title\x07",
	"carriage return":      "\r",
	"backspace":            "\b",
	"delete":               "\x7f",
	"C1 in UTF-8":          "\u0085\u009b31m\u009d",
	"C1 as a byte":         "\x9b31m",
	"right-to-left":        "\u202e\u2067\u200f\u061c",
	"end of an embedding":  "\u202c\u2069",
	"separators":           "\u2028\u2029",
	"tags":                 "\U000e0041",
	"a mark of byte order": "\ufeff",
	"half a character":     "\xe2\x80",
}

// allowed are characters that must.
const allowed = "ä 漢字 עברית 👩\u200d👩\u200d👧 \u00a0…"

func TestPrintable(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			got := terminal.Printable("a" + text + "b\n\t")
			checkSafe(t, got, text)
			if strings.ContainsAny(got, "\n\t") {
				t.Errorf("%q has several lines", got)
			}
			checkSafe(t, terminal.PrintableLines("a"+text+"b"), text)
		})
	}
	if got := terminal.Printable(allowed); got != allowed {
		t.Errorf("got %q, want %q", got, allowed)
	}
	if got, want := terminal.PrintableLines(allowed+"\n\tx\n"), allowed+"\n\tx\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkSafe looks for what is left of a hostile text.
func checkSafe(t *testing.T, got, text string) {
	t.Helper()
	for _, r := range text {
		if (r < ' ' || r >= 0x7f && r != '�') && strings.ContainsRune(got, r) {
			t.Errorf("%q still has %U", got, r)
		}
	}
	if strings.ToValidUTF8(got, "") != got {
		t.Errorf("%q is no UTF-8", got)
	}
}

func TestPrintableJSON(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			encoded, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			// As a function may write it: without an escape wherever JSON needs none.
			raw := []byte("{\n\t\"a\": " + string(encoded) + "}")
			for _, r := range text {
				if r > ' ' {
					raw = bytes.ReplaceAll(raw, fmt.Appendf(nil, `\u%04x`, r), []byte(string(r)))
				}
			}
			got := terminal.PrintableJSON(raw)
			checkSafe(t, string(got), text)
			var before, after map[string]string
			if err := json.Unmarshal(raw, &before); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(got, &after); err != nil {
				t.Fatalf("%s: %v", got, err)
			}
			if before["a"] != after["a"] {
				t.Errorf("got %q, want %q", after["a"], before["a"])
			}
		})
	}
	if got := terminal.PrintableJSON([]byte("\"a\x9bb\"")); string(got) != `"a\ufffdb"` {
		t.Errorf("of a byte that is no UTF-8 it makes %q", got)
	}
	if text := `{"a":"` + allowed + `"}` + "\r\n"; string(terminal.PrintableJSON([]byte(text))) != text {
		t.Errorf("%q is changed", text)
	}
}

func TestSafe(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			var printed bytes.Buffer
			line := "a" + text + "\n"
			if n, err := fmt.Fprint(terminal.Safe(&printed), line); err != nil || n != len(line) {
				t.Errorf("%d, %v, want %d", n, err, len(line))
			}
			if want := terminal.PrintableLines(line); printed.String() != want {
				t.Errorf("got %q, want %q", printed.String(), want)
			}
		})
	}
}

package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// widest is what a character takes on average in a font that is 30% wider than DejaVu Sans, in sizes of the font.
const widest = 0.6 * 1.3

// box is what an element covers.
type box struct {
	what                     string
	left, right, top, bottom float64
}

func (b box) overlaps(other box) bool {
	return b.left < other.right && other.left < b.right && b.top < other.bottom && other.top < b.bottom
}

// drawing is what a picture has of text, of bars and of curves.
type drawing struct {
	width, height float64
	texts, shapes []box
}

// read finds out what a picture covers, as a viewer with a very wide font would draw it.
func read(t *testing.T, svg []byte) drawing {
	t.Helper()
	var d drawing
	decoder := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attribute := map[string]string{}
		for _, a := range element.Attr {
			attribute[a.Name.Local] = a.Value
		}
		number := func(name string) float64 {
			value, err := strconv.ParseFloat(attribute[name], 64)
			if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
				t.Fatalf("%s of a %s: %q", name, element.Name.Local, attribute[name])
			}
			return value
		}
		switch element.Name.Local {
		case "svg":
			d.width, d.height = number("width"), number("height")
		case "text":
			var text string
			if err := decoder.DecodeElement(&text, &element); err != nil {
				t.Fatal(err)
			}
			size := number("font-size")
			length := widest * size * float64(utf8.RuneCountInString(text))
			left := number("x") - length*map[string]float64{"start": 0, "middle": 0.5, "end": 1}[attribute["text-anchor"]]
			d.texts = append(d.texts, box{text, left, left + length, number("y") - 0.9*size, number("y") + 0.25*size})
		case "rect":
			if attribute["class"] != "bg" {
				d.shapes = append(d.shapes, box{"a bar", number("x"), number("x") + number("width"), number("y"), number("y") + number("height")})
			}
		case "path":
			if strings.Contains(attribute["d"], "V") && attribute["class"] != "faint-line" { // a curve
				d.shapes = append(d.shapes, pathBox(t, attribute["d"]))
			}
		}
	}
}

// pathBox reads a path of M, H and V.
func pathBox(t *testing.T, d string) box {
	t.Helper()
	b := box{"a curve", math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
	seen := func(x, y float64) {
		b.left, b.right, b.top, b.bottom = min(b.left, x), max(b.right, x), min(b.top, y), max(b.bottom, y)
	}
	var x, y float64
	for i := 0; i < len(d); {
		end := i + 1
		for end < len(d) && !strings.ContainsRune("MHV", rune(d[end])) {
			end++
		}
		var err error
		switch text := d[i+1 : end]; d[i] {
		case 'M':
			_, err = fmt.Sscan(text, &x, &y)
		case 'H':
			_, err = fmt.Sscan(text, &x)
		case 'V':
			_, err = fmt.Sscan(text, &y)
		}
		if err != nil {
			t.Fatalf("path %q: %v", d, err)
		}
		seen(x, y)
		i = end
	}
	return b
}

// check finds what cannot be read: text on text, text on a bar or a curve, and what is cut off.
func check(t *testing.T, svg []byte) drawing {
	t.Helper()
	d := read(t, svg)
	for i, text := range d.texts {
		for _, other := range slices.Concat(d.texts[i+1:], d.shapes) {
			if text.overlaps(other) {
				t.Errorf("%q and %q overlap: %+v, %+v", text.what, other.what, text, other)
			}
		}
	}
	for _, b := range slices.Concat(d.texts, d.shapes) {
		if b.left < 0 || b.right > d.width || b.top < 0 || b.bottom > d.height {
			t.Errorf("%q is cut off: %+v in %g x %g", b.what, b, d.width, d.height)
		}
	}
	return d
}

func texts(d drawing) []string {
	var all []string
	for _, text := range d.texts {
		all = append(all, text.what)
	}
	return all
}

func TestBars(t *testing.T) {
	long := "github.com/" + strings.Repeat("a-very-long-name/", 8) + strings.Repeat("without-a-slash", 10)
	d := check(t, Bars("what fills the bootstrap of "+strings.Repeat("token-customizer", 4), "kB, not compressed", []Bar{
		{Group: "first <group>", Name: "golam", Value: 5_000_000, Label: "5000"},
		{Group: "first <group>", Name: long, Value: 4_999_999, Label: "4999.9999"},
		{Group: "second", Name: "nothing", Label: "0", Color: 1},
		{Group: "second", Name: "small & thin", Value: 1, Label: "0.001", Color: 99},
	}))
	if all := strings.Join(texts(d), "|"); !strings.Contains(all, "first <group>|golam|5000") || strings.Count(all, "first <group>") != 1 {
		t.Errorf("texts %s", all)
	}
	if got := strings.Count(strings.Join(texts(d), ""), "without-a-slash"); got == 0 {
		t.Error("a long name is cut")
	}
	check(t, Bars("none", "", nil))
}

// TestDistribution: whatever the times are, the labels of the axis have room, and there are enough of them.
func TestDistribution(t *testing.T) {
	for name, test := range map[string]struct {
		low, high float64
		series    int
	}{
		"a cold start":   {1.9, 6.1, 7},
		"narrow":         {3.31, 3.44, 2},
		"across a ten":   {9.6, 11.2, 2},
		"microseconds":   {0.00012, 0.0031, 1},
		"minutes":        {110_000, 810_000, 1},
		"five decades":   {0.02, 9_000, 20},
		"twelve decades": {1e-4, 1e8, 2},
		"one value":      {2.5, 2.5, 1},
		"from a tick":    {1, 2, 1},
		"two decades":    {0.14, 38, 6},
	} {
		t.Run(name, func(t *testing.T) {
			var all []Series
			for i := range test.series {
				times := make([]float64, 500)
				for j := range times {
					times[j] = test.low * math.Pow(test.high/test.low, float64(j)/499)
				}
				all = append(all, Series{
					Name: fmt.Sprintf("Rust, SDK's defaults, opt-level %d%s", i, strings.Repeat(" and more", i)), Times: times, Median: times[250],
					Dashed: i%2 == 1, Color: i,
				})
			}
			d := check(t, Distribution("Token customizer that publishes an event: first responses", "share of starts", all))
			axis := newAxis(all)
			if ticks := axis.ticks(); len(ticks) < 4 || len(ticks) > maxTicks || !slices.IsSorted(ticks) {
				t.Errorf("ticks %v from %g to %g", ticks, test.low, test.high)
			}
			for _, tick := range axis.ticks() {
				if !slices.Contains(texts(d), number(tick)) {
					t.Errorf("there is no label for %g", tick)
				}
			}
			if all := strings.Join(texts(d), "|"); !strings.Contains(all, "0%|25%|50%|75%|100%") {
				t.Errorf("texts %s", all)
			}
		})
	}
}

// TestDistributionIsRight compares a curve with the times that it is of.
func TestDistributionIsRight(t *testing.T) {
	a := axis{1, 100}
	d := a.steps([]float64{100, 10, 0, 1, math.NaN(), 10}, 400)
	// 10 is in the middle of the axis, and there twice.
	want := "M70.0 400.0H70.0V325.0H390.0V175.0H710.0V100.0"
	if d != want {
		t.Errorf("path %s, want %s", d, want)
	}
	if d := a.steps(nil, 400); d != "" {
		t.Errorf("path of nothing: %s", d)
	}
	many := make([]float64, 100_000)
	for i := range many {
		many[i] = 1 + float64(i)/1000
	}
	if d := a.steps(many, 400); len(d) > 50_000 || !strings.HasSuffix(d, "V100.0") {
		t.Errorf("%d bytes for a curve that end in %q", len(d), d[len(d)-20:])
	}
	check(t, Distribution("nothing", "", []Series{{Name: "nothing"}, {Name: "no clock", Times: []float64{0, 0}}}))
}

// TestContrast holds all colors to what WCAG 2.2 asks for: 4.5 for text, 3 for what is drawn.
func TestContrast(t *testing.T) {
	for _, mode := range []func(color) string{func(c color) string { return c.light }, func(c color) string { return c.dark }} {
		on := luminance(t, mode(background()))
		contrast := func(c color) float64 {
			of := luminance(t, mode(c))
			return (max(of, on) + 0.05) / (min(of, on) + 0.05)
		}
		for _, c := range []color{ink(), quiet()} {
			if contrast(c) < 4.5 {
				t.Errorf("text in %s on %s has a contrast of %.1f", mode(c), mode(background()), contrast(c))
			}
		}
		for _, c := range palette() {
			if contrast(c) < 3 {
				t.Errorf("%s on %s has a contrast of %.1f", mode(c), mode(background()), contrast(c))
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	value, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(channel uint64) float64 {
		c := float64(channel&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(value>>16) + 0.7152*linear(value>>8) + 0.0722*linear(value)
}

// TestModes: each color has its dark variant, and a viewer without style sheets gets the light ones.
func TestModes(t *testing.T) {
	svg := string(Bars("title", "unit", []Bar{{Name: "a", Value: 1, Label: "1", Color: 3}}))
	for _, c := range []color{background(), ink(), quiet(), faint(), colorOf(3)} {
		for _, want := range []string{
			fmt.Sprintf(`class="%s" fill="%s"`, c.class, c.light), fmt.Sprintf(".%s { fill: %s }", c.class, c.dark),
		} {
			if !strings.Contains(svg, want) {
				t.Errorf("no %s in\n%s", want, svg)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"ten letter", []string{"ten letter"}},
		{"a name with spaces", []string{"a name", "with", "spaces"}},
		{"example.com/some/path", []string{"example.co", "m/some/", "path"}},
		{"überlängenmaß", []string{"überlängen", "maß"}},
	} {
		if got := wrap(test.text, 10, 10*10*em); !slices.Equal(got, test.want) {
			t.Errorf("%q is %q, want %q", test.text, got, test.want)
		}
	}
}

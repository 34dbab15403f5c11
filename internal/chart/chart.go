// Package chart draws charts as SVG: the distribution of times, and bars.
//
// What belongs here: the layout of charts and the SVG that comes of it. What does not: what the values mean.
//
// The viewer chooses the font, so the width of a text is not known. Every text therefore has a line of its own, or twice the room beside
// its neighbor that an ordinary font takes. The background is drawn, and all colors have a variant for viewers that ask for a dark one.
package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sizes in pixels.
const (
	width      = 760
	margin     = 20
	inner      = width - 2*margin
	titleSize  = 17
	textSize   = 13
	lineHeight = 1.5 // of the size of the text
)

// em is the room that a text gets for each character, in sizes of the font. DejaVu Sans, one of the widest common fonts, takes 0.6 on average.
const em = 0.8

// room is the width that a text of textSize can need.
func room(text string) float64 {
	return em * textSize * float64(utf8.RuneCountInString(text))
}

// wrap breaks a text into lines that fit: after spaces or slashes where it can.
func wrap(text string, size, width float64) []string {
	most := max(int(width/(em*size)), 1) // characters on a line
	var lines []string
	rest := []rune(text)
	for len(rest) > most {
		end := most
		for i := most; i > most/3; i-- {
			if rest[i-1] == ' ' || rest[i-1] == '/' {
				end = i
				break
			}
		}
		lines = append(lines, strings.TrimSpace(string(rest[:end])))
		rest = rest[end:]
	}
	return append(lines, strings.TrimSpace(string(rest)))
}

// color is drawn as light on a light background and as dark on a dark one.
type color struct{ class, light, dark string }

func background() color { return color{"bg", "#ffffff", "#0d1117"} }
func ink() color        { return color{"ink", "#1f2328", "#e6edf3"} }
func quiet() color      { return color{"quiet", "#57606a", "#9ea7b3"} }
func faint() color      { return color{"faint", "#e4e8ec", "#272d36"} }

// palette starts from Okabe and Ito's colors ("Color Universal Design"), which people who don't see every color can tell apart, made
// darker or lighter where they would be hard to see on the background.
func palette() []color {
	return []color{
		{"c0", "#0072b2", "#56b4e9"},
		{"c1", "#d55e00", "#ff8f4d"},
		{"c2", "#008a64", "#2fcf9f"},
		{"c3", "#b4558c", "#e79ac6"},
		{"c4", "#8a6d00", "#e6b800"},
		{"c5", "#6a4fc0", "#b5a1ff"},
		{"c6", "#30363d", "#f0f3f6"},
		{"c7", "#7a828b", "#98a1ab"},
	}
}

// colorOf returns a color of the palette.
func colorOf(i int) color {
	all := palette()
	return all[i%len(all)]
}

// canvas is a picture that grows downwards.
type canvas struct {
	title string
	body  bytes.Buffer
	y     float64 // where the next thing goes
}

func newCanvas(title string) *canvas {
	c := &canvas{title: title, y: margin}
	c.lines(wrap(title, titleSize, inner), margin, titleSize, ink())
	return c
}

// lines writes lines of text below one another.
func (c *canvas) lines(lines []string, x, size float64, color color) {
	for _, line := range lines {
		c.y += size * lineHeight
		c.text(x, c.y-size*(lineHeight-1), size, "start", color, line)
	}
}

// text writes a text on a base line. Anchor is start, middle or end.
func (c *canvas) text(x, y, size float64, anchor string, color color, text string) {
	fmt.Fprintf(&c.body, `<text x="%.1f" y="%.1f" font-size="%g" text-anchor="%s" class="%s" fill="%s">%s</text>`+"\n",
		x, y, size, anchor, color.class, color.light, escape(text))
}

func (c *canvas) rect(x, y, width, height float64, color color) {
	fmt.Fprintf(&c.body, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s" fill="%s"/>`+"\n", x, y, width, height, color.class, color.light)
}

// path draws a line.
func (c *canvas) path(d string, width float64, dashed bool, color color) {
	dashes := ""
	if dashed {
		dashes = ` stroke-dasharray="7 4"`
	}
	fmt.Fprintf(&c.body, `<path d="%s" fill="none" stroke-width="%g"%s class="%s-line" stroke="%s"/>`+"\n", d, width, dashes, color.class, color.light)
}

func escape(text string) string {
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(text)) // a buffer takes everything
	return escaped.String()
}

// svg is the whole picture. The attributes have the light colors, for viewers that don't know style sheets.
func (c *canvas) svg() []byte {
	height := c.y + margin
	var w bytes.Buffer
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%.0f" viewBox="0 0 %d %.0f" role="img" `+
		`font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif">`+"\n", width, height, width, height)
	fmt.Fprintf(&w, "<title>%s</title>\n", escape(c.title))
	fmt.Fprint(&w, "<style>@media (prefers-color-scheme: dark) {")
	for _, color := range append(palette(), background(), ink(), quiet(), faint()) {
		fmt.Fprintf(&w, " .%s { fill: %s } .%s-line { stroke: %s }", color.class, color.dark, color.class, color.dark)
	}
	fmt.Fprint(&w, " }</style>\n")
	fmt.Fprintf(&w, `<rect width="%d" height="%.0f" class="%s" fill="%s"/>`+"\n", width, height, background().class, background().light)
	w.Write(c.body.Bytes())
	fmt.Fprint(&w, "</svg>\n")
	return w.Bytes()
}

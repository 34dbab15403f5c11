package benchmark

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/golam-cli/golam/internal/build"
)

// Picture is a chart that can be written in several formats.
type Picture struct {
	// Name is that of its files, without an extension.
	Name          string
	plot          *plot.Plot
	width, height vg.Length
}

// Pictures draws each function: the distribution of its times, and what fills its bootstrap.
func (r Result) Pictures() ([]Picture, error) {
	var all []Picture
	for _, f := range r.Functions {
		var series []Series
		for _, m := range metrics()[:3] {
			series = append(series, Series{Name: m.name, Values: m.pool(f.rounds...)})
			if f.before != nil {
				series = append(series, Series{Name: m.name + ", baseline", Values: m.pool(f.before...), Dashed: true, SameColour: true})
			}
		}
		times, err := Distributions(f.Name+"-times", f.Name+": distribution of times", series)
		if err != nil {
			return nil, err
		}
		all = append(all, times)
		if len(f.Parts) == 0 {
			continue
		}
		contents, err := Contents(f.Name+"-contents", fmt.Sprintf("%s: what fills the bootstrap of %s (%s)", f.Name, size(float64(f.Bootstrap)), f.Arch), f.Parts)
		if err != nil {
			return nil, err
		}
		all = append(all, contents)
	}
	return all, nil
}

// Series is a set of times in milliseconds with a name.
type Series struct {
	Name   string
	Values []float64
	Dashed bool
	// SameColour takes the colour of the series before.
	SameColour bool
}

// palette can be told apart by people who don't see every colour (Okabe and Ito, "Color Universal Design").
func palette() []color.Color {
	return []color.Color{
		color.RGBA{0x00, 0x72, 0xb2, 0xff},
		color.RGBA{0xd5, 0x5e, 0x00, 0xff},
		color.RGBA{0x00, 0x9e, 0x73, 0xff},
		color.RGBA{0xcc, 0x79, 0xa7, 0xff},
		color.RGBA{0x56, 0xb4, 0xe9, 0xff},
		color.RGBA{0xe6, 0x9f, 0x00, 0xff},
		color.RGBA{0x00, 0x00, 0x00, 0xff},
		color.RGBA{0x99, 0x99, 0x99, 0xff},
	}
}

// Distributions draws for each series which share of its times is at most how long, on a logarithmic axis.
func Distributions(name, title string, series []Series) (Picture, error) {
	p := newPlot(title)
	p.X.Label.Text = "milliseconds"
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = logTicks{}
	p.Y.Label.Text = "% of invocations up to that time"
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 25}, {Value: 50, Label: "50"}, {Value: 75}, {Value: 100, Label: "100"}}
	p.Legend.Top, p.Legend.Left = true, true
	colours := palette()
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xdd}, color.Gray{0xdd}
	p.Add(grid)
	// The legend's lines stand above the curves.
	p.Y.Min, p.Y.Max = 0, 104+8*float64(len(series))
	next := -1
	for _, s := range series {
		if !s.SameColour {
			next++
		}
		values := slices.Clone(s.Values)
		slices.Sort(values)
		points := make(plotter.XYs, 0, len(values))
		for i, value := range values {
			if value > 0 { // there is no other on this axis
				points = append(points, plotter.XY{X: value, Y: 100 * float64(i+1) / float64(len(values))})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return Picture{}, fmt.Errorf("draw %s: %w", name, err)
		}
		line.StepStyle = plotter.PostStep
		line.Color, line.Width = colours[next%len(colours)], vg.Points(1.8)
		if s.Dashed {
			line.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(line)
		p.Legend.Add(fmt.Sprintf("%s (median %.3g)", s.Name, quantileOf(values, 0.5)), line)
	}
	return Picture{name, p, 18 * vg.Centimeter, 11 * vg.Centimeter}, nil
}

// shownParts is how many parts of a bootstrap get a bar of their own.
const shownParts = 18

// Contents draws the largest parts of a bootstrap, and the others together.
func Contents(name, title string, parts []build.Part) (Picture, error) {
	shown := slices.Clone(parts[:min(len(parts), shownParts)])
	if others := parts[len(shown):]; len(others) > 0 {
		rest := build.Part{Name: fmt.Sprintf("%d smaller packages", len(others))}
		for _, part := range others {
			rest.Bytes += part.Bytes
		}
		shown = append(shown, rest)
	}
	slices.Reverse(shown) // the largest at the top
	bars := make([]Bar, len(shown))
	for i, part := range shown {
		bars[i] = Bar{Name: strings.TrimPrefix(part.Name, "vendor/"), Value: float64(part.Bytes) / 1e3, Label: fmt.Sprintf("%.0f", float64(part.Bytes)/1e3)}
	}
	return Bars(name, title, "kB, not compressed", bars)
}

// Bar is one value with a name.
type Bar struct {
	Name  string
	Value float64
	// Label stands at its end.
	Label string
	// Colour is an index into the palette.
	Colour int
}

// Bars draws horizontal bars, from the bottom up.
func Bars(name, title, axis string, bars []Bar) (Picture, error) {
	if len(bars) == 0 {
		return Picture{}, fmt.Errorf("draw %s: there is nothing to draw", name)
	}
	p := newPlot(title)
	p.X.Label.Text = axis
	p.X.Min = 0
	p.X.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		ticks := plot.DefaultTicks{}.Ticks(low, high)
		for i := range ticks {
			if ticks[i].Label != "" {
				ticks[i].Label = fmt.Sprintf("%.6g", ticks[i].Value)
			}
		}
		return ticks
	})
	colours := palette()
	barHeight := vg.Points(11)
	var labels plotter.XYLabels
	var names []string
	for i, bar := range bars {
		drawn, err := plotter.NewBarChart(plotter.Values{bar.Value}, barHeight)
		if err != nil {
			return Picture{}, fmt.Errorf("draw %s: %w", name, err)
		}
		drawn.Horizontal, drawn.XMin = true, float64(i)
		drawn.Color, drawn.LineStyle.Width = colours[bar.Colour%len(colours)], 0
		p.Add(drawn)
		labels.XYs = append(labels.XYs, plotter.XY{X: bar.Value, Y: float64(i)})
		labels.Labels = append(labels.Labels, " "+bar.Label)
		names = append(names, bar.Name)
		p.X.Max = max(p.X.Max, bar.Value*1.12) // room for the label
	}
	ends, err := plotter.NewLabels(labels)
	if err != nil {
		return Picture{}, fmt.Errorf("draw %s: %w", name, err)
	}
	for i := range ends.TextStyle {
		ends.TextStyle[i].YAlign = draw.YCenter
		ends.TextStyle[i].Font.Variant, ends.TextStyle[i].Font.Size = "Sans", vg.Points(9)
	}
	p.Add(ends)
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.7, float64(len(bars))-0.3
	return Picture{name, p, 18 * vg.Centimeter, vg.Points(70) + vg.Length(len(bars))*vg.Points(16)}, nil
}

func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Points(8)
	for style, points := range map[*text.Style]float64{
		&p.Title.TextStyle: 11, &p.X.Label.TextStyle: 10, &p.Y.Label.TextStyle: 10, &p.X.Tick.Label: 9, &p.Y.Tick.Label: 9,
		&p.Legend.TextStyle: 10,
	} {
		style.Font.Variant, style.Font.Size = "Sans", vg.Points(points)
	}
	return p
}

// logTicks labels the powers of ten and, unless there are many, twos and fives.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Pow10(int(math.Floor(math.Log10(low)))); power <= high; power *= 10 {
		for digit := 1.0; digit < 10; digit++ {
			tick := plot.Tick{Value: digit * power}
			if digit == 1 || high/low < 1e4 && (digit == 2 || digit == 5) {
				tick.Label = fmt.Sprintf("%.4g", tick.Value)
			}
			if low <= tick.Value && tick.Value <= high {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

// draw draws the picture with a margin.
func (p Picture) draw(format string) ([]byte, error) {
	canvas, err := draw.NewFormattedCanvas(p.width, p.height, format)
	if err != nil {
		return nil, err
	}
	page := draw.New(canvas)
	page.SetColor(color.White) // on a dark page too
	page.Fill(page.Rectangle.Path())
	const margin = 8
	p.plot.Draw(draw.Crop(page, margin, -margin, margin, -margin))
	var data bytes.Buffer
	_, err = canvas.WriteTo(&data)
	return data.Bytes(), err
}

// Formats are those that a picture can be written in, which are also the extensions of their files.
func Formats() []string { return []string{"svg", "png"} }

// CheckPictures finds out early that pictures could not be written to a folder, which need not be there yet. It is a [MisuseError].
func CheckPictures(dir string) error {
	if dir == "" {
		return misuse(`--pictures "": name a folder`)
	}
	// The folder itself, or the nearest one above it.
	parent := filepath.Clean(dir)
	info, err := os.Stat(parent)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(parent) != parent {
		parent = filepath.Dir(parent)
		info, err = os.Stat(parent)
	}
	if err == nil && !info.IsDir() {
		return misuse("--pictures %s: %s is not a folder: name one", dir, parent)
	}
	if err == nil {
		err = tryFolder(parent)
	}
	if err != nil {
		return misuse("--pictures %s: %v: name a folder that can be written to", dir, err)
	}
	return nil
}

// WritePictures writes every picture in some formats to a folder, which is made if need be, and returns the paths.
func WritePictures(dir string, pictures []Picture, formats ...string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("write the pictures: %w", err)
	}
	var paths []string
	for _, picture := range pictures {
		for _, format := range formats {
			data, err := picture.draw(format)
			if err != nil {
				return nil, fmt.Errorf("draw %s as %s: %w", picture.Name, format, err)
			}
			path := filepath.Join(dir, picture.Name+"."+format)
			if err := replace(path, data); err != nil {
				return nil, fmt.Errorf("write the pictures: %w", err)
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

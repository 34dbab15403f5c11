package benchmark

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/golam-cli/golam/internal/build"
	"github.com/golam-cli/golam/internal/chart"
	"github.com/golam-cli/golam/internal/misuse"
	"github.com/golam-cli/golam/internal/units"
)

// Picture is a chart.
type Picture struct {
	// Name is the name of its file, without the extension.
	Name string
	SVG  []byte
}

// Pictures draws two charts for each function: the distribution of its times, and what fills its bootstrap.
func (r Result) Pictures() []Picture {
	var all []Picture
	for _, f := range r.Functions {
		var series []chart.Series
		for color, m := range metrics()[:3] {
			series = append(series, seriesOf(m.name, m.pool(f.rounds...), false, color))
			if f.before != nil {
				series = append(series, seriesOf(m.name+", baseline", m.pool(f.before...), true, color))
			}
		}
		all = append(all, Picture{f.Name + "-times", chart.Distribution(f.Name+": distribution of times", "share of starts or invocations that took at most as long", series)})
		if len(f.Parts) > 0 {
			title := fmt.Sprintf("%s: what fills the bootstrap of %s (%s)", f.Name, units.Megabytes(f.Bootstrap), f.Arch)
			all = append(all, Contents(f.Name+"-contents", title, f.Parts))
		}
	}
	return all
}

func seriesOf(name string, times []float64, dashed bool, color int) chart.Series {
	return chart.Series{Name: name, Median: quantileOf(times, 0.5), Times: times, Dashed: dashed, Color: color}
}

// FirstResponses draws the distribution of the first responses of several subjects. Those that are not golam's are dashed.
func FirstResponses(name, title string, subjects []FirstResponse) Picture {
	first := metrics()[1]
	var series []chart.Series
	for color, s := range subjects {
		series = append(series, seriesOf(s.Name, first.pool(s.Rounds...), !s.Ours, color))
	}
	return Picture{name, chart.Distribution(title, "first responses: share of cold starts that took at most as long", series)}
}

// FirstResponse is a subject of [FirstResponses].
type FirstResponse struct {
	Name   string
	Ours   bool
	Rounds []Round
}

// shownParts is how many parts of a bootstrap get a bar of their own.
const shownParts = 18

// Contents draws the largest parts of a bootstrap, and the others together.
func Contents(name, title string, parts []build.Part) Picture {
	shown := slices.Clone(parts[:min(len(parts), shownParts)])
	if others := parts[len(shown):]; len(others) > 0 {
		rest := build.Part{Name: fmt.Sprintf("%d smaller packages", len(others))}
		for _, part := range others {
			rest.Bytes += part.Bytes
		}
		shown = append(shown, rest)
	}
	bars := make([]chart.Bar, len(shown))
	for i, part := range shown {
		bars[i] = chart.Bar{
			Name: strings.TrimPrefix(part.Name, "vendor/"), Value: float64(part.Bytes), Label: fmt.Sprintf("%.0f", float64(part.Bytes)/1e3),
		}
	}
	return Picture{name, chart.Bars(title, "kB, not compressed", bars)}
}

// CheckPictures finds out early that pictures could not be written to a folder, which need not be there yet. It is a [misuse.Error].
func CheckPictures(dir string) error {
	if dir == "" {
		return misuse.New(`--pictures "": name a folder`)
	}
	// The folder itself, or the nearest one above it.
	parent := filepath.Clean(dir)
	info, err := os.Stat(parent)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(parent) != parent {
		parent = filepath.Dir(parent)
		info, err = os.Stat(parent)
	}
	if err == nil && !info.IsDir() {
		return misuse.New("--pictures %s: %s is not a folder: name one", dir, parent)
	}
	if err == nil {
		err = tryFolder(parent)
	}
	if err != nil {
		return misuse.New("--pictures %s: %v: name a folder that can be written to", dir, err)
	}
	return nil
}

// WritePictures writes pictures as SVG to a folder, which is made if need be, and returns the paths.
func WritePictures(dir string, pictures []Picture) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("write the pictures: %w", err)
	}
	var paths []string
	for _, picture := range pictures {
		path := filepath.Join(dir, picture.Name+".svg")
		if err := replace(path, picture.SVG); err != nil {
			return nil, fmt.Errorf("write the pictures: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

package chart

// Bar is one value with a name.
type Bar struct {
	// Group is a heading above the bars that have the same one, or "".
	Group string
	Name  string
	Value float64
	// Label is the value as text.
	Label string
	// Color is an index into the palette.
	Color int
}

const (
	barHeight = 10
	groupSize = 15
)

// Bars draws horizontal bars from the top down. Each has its name and its label on a line above it. Unit explains the values.
func Bars(title, unit string, bars []Bar) []byte {
	c := newCanvas(title)
	c.lines(wrap(unit, textSize, inner), margin, textSize, quiet())
	var longest float64
	for _, bar := range bars {
		longest = max(longest, bar.Value)
	}
	group := ""
	for _, bar := range bars {
		if bar.Group != group {
			group = bar.Group
			c.y += textSize
			c.lines(wrap(group, groupSize, inner), margin, groupSize, ink())
		}
		c.y += textSize / 2
		c.lines(wrap(bar.Name, textSize, inner-room(bar.Label+"  ")), margin, textSize, ink())
		c.text(width-margin, c.y-textSize*(lineHeight-1), textSize, "end", ink(), bar.Label)
		c.rect(margin, c.y, inner, barHeight, faint())
		if longest > 0 && bar.Value > 0 {
			c.rect(margin, c.y, inner*bar.Value/longest, barHeight, colorOf(bar.Color))
		}
		c.y += barHeight
	}
	return c.svg()
}

package lambdaruntime

import (
	"context"
	"slices"
)

// Adding returns a logger that adds the fields to each line that a function finds in the context, as alternating names and values.
func (l *Logger) Adding(find func(context.Context) []any) *Logger {
	adding := *l
	adding.found = slices.Insert(slices.Clone(l.found), 0, find)
	return &adding
}

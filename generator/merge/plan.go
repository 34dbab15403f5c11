package merge

import (
	"slices"

	"github.com/golam-cli/golam/generator"
)

// Plan is what a merge does to a project, path by path.
type Plan struct {
	// Changes are sorted by path. Paths to which nothing happens, and of which there is nothing to say, are not among them.
	Changes []Change `json:"changes"`
}

// Change is what happens to one path.
type Change struct {
	// Path is relative to the project and slash separated.
	Path string `json:"path"`
	// From is where the file was, if it moves.
	From   string `json:"from,omitempty"`
	Action Action `json:"action"`
	// Note says why, as a sentence without its capital and its period. It is empty if the action says everything.
	Note string `json:"note,omitempty"`
	// Conflicts is the number of places with conflict markers, and Marker is the length of these. A conflict without any leaves the owner's file as it
	// is.
	Conflicts int `json:"conflicts,omitempty"`
	Marker    int `json:"marker,omitempty"`

	// Before is the owner's file at From or Path, and After is what is written to Path. Before is nil if there is none, After is nil if nothing is
	// written.
	Before *generator.File `json:"-"`
	After  *generator.File `json:"-"`
	// Base and Target are the versions of golam: as it was before, if that is known, and as it is now. Either may be nil. With Before they are what git keeps
	// of a conflict.
	Base   *generator.File `json:"-"`
	Target *generator.File `json:"-"`
}

// Action is what is done to a path.
type Action string

// The actions.
const (
	ActionAdd      Action = "add"      // a new file
	ActionUpdate   Action = "update"   // golam's new version takes the place of its old one, which nobody edited
	ActionRemove   Action = "remove"   // golam no longer makes the file, and nobody edited it
	ActionMerge    Action = "merge"    // golam's changes are added to the owner's file
	ActionKeep     Action = "keep"     // the owner's file, or its absence, stays although golam changed or removed it
	ActionConflict Action = "conflict" // both changed the same; the owner has to decide
)

// Actions returns all actions, in the order in which a person wants to read them.
func Actions() []Action {
	return []Action{ActionAdd, ActionUpdate, ActionRemove, ActionMerge, ActionKeep, ActionConflict}
}

// With returns the changes with an action.
func (p Plan) With(action Action) []Change {
	return slices.DeleteFunc(slices.Clone(p.Changes), func(c Change) bool { return c.Action != action })
}

// Edits are what [generator.Apply] does to carry out the plan.
func (p Plan) Edits() []generator.Edit {
	var edits []generator.Edit
	for _, change := range p.Changes {
		before := change.Before
		if change.From != "" {
			edits = append(edits, generator.Edit{Path: change.From, Before: before})
			before = nil
		}
		if change.After != nil || change.Action == ActionRemove {
			edits = append(edits, generator.Edit{Path: change.Path, Before: before, After: change.After})
		}
	}
	return edits
}

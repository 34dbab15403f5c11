package generator

// Edit is one change of a file of a project.
type Edit struct {
	// Path is relative to the project, slash separated and clean.
	Path string
	// Before is what the file must hold, or nil if there must be none.
	Before *File
	// After is what it holds then, or nil to remove it.
	After *File
}

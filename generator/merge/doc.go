// Package merge brings a project to what golam would make now, without losing a line that its owner wrote.
//
// [Merge] compares three trees:
//
//	base    what golam made last time, which the project keeps in golam.lock and golam.base: [ReadBase]
//	target  what golam would make now: a [generator.Tree]
//	work    the project's folder as it is: any [fs.FS] that knows symbolic links, such as that of an [os.Root], or memory
//
// It decides what happens to each path and returns a [Plan], which can be shown or encoded as JSON. It changes nothing itself. [generator.Apply]
// carries out the plan's edits, all of them or none. They include golam.lock and golam.base as the next merge needs them.
//
//	                       untouched by the owner   edited            deleted
//	target didn't change   nothing                  nothing           nothing
//	target changed it      update                   merge, conflict   keep: it does not come back
//	target removed it      remove                   keep              nothing
//	target added it        add                      conflict, unless both have the same content
//
// A file is untouched if its content has the blob id of the base; line ends that git converted do not count. Only edited files are
// merged: go.mod, go.sum and golam.yaml by what they mean (gomod.go, yaml.go), everything else by lines (lines.go finds what each side
// changed, diff3.go combines it). What both sides changed differently gets conflict markers, as git writes them. Binary files and paths
// that are no longer files get no markers: the owner's stay as they are, and the plan lists them as conflicts.
//
// Everything here depends on the three trees alone.
package merge

//go:build unix

package generator

import (
	"io/fs"
	"syscall"
)

// sameDevice says whether two files are on one file system, so that one can be renamed to stand beside the other.
func sameDevice(a, b fs.FileInfo) bool {
	first, ok1 := a.Sys().(*syscall.Stat_t)
	second, ok2 := b.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && first.Dev == second.Dev
}

//go:build unix

package generator

import (
	"fmt"
	"io/fs"
	"syscall"
)

// sameDevice says whether two files are on one file system, so that one can be renamed to stand beside the other.
func sameDevice(a, b fs.FileInfo) bool {
	first, ok1 := a.Sys().(*syscall.Stat_t)
	second, ok2 := b.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && first.Dev == second.Dev
}

// identity is what tells a folder from every other on this machine. It stays when the folder is moved, and no copy has it.
func identity(info fs.FileInfo, path string) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(stat.Ino, " ", stat.Uid) // the number of a device may change when it is mounted again
	}
	return path
}

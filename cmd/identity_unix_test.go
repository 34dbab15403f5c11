//go:build unix

package cmd_test

import (
	"fmt"
	"io/fs"
	"syscall"
)

// identity is what the proof in a journal is about.
func identity(info fs.FileInfo, path string) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(stat.Ino, " ", stat.Uid)
	}
	return path
}

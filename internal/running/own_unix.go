//go:build unix

package running

import (
	"io/fs"
	"os"
	"syscall"
)

// onlyOwn reports whether a file belongs to this user and nobody else may read or write it.
func onlyOwn(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}

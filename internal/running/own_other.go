//go:build !unix

package running

import "io/fs"

// onlyOwn leaves it to the folder of the user, which other users cannot read.
func onlyOwn(fs.FileInfo) bool { return true }

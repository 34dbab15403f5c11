//go:build !unix

package generator

import "io/fs"

// sameDevice is always true: what is mounted in a folder of Windows is no folder to [os.Lstat].
func sameDevice(_, _ fs.FileInfo) bool { return true }

// identity is the path here: there is no number that is known without opening the folder.
func identity(_ fs.FileInfo, path string) string { return path }

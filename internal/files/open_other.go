//go:build !unix

package files

import "os"

func open(name string) (*os.File, error) { return os.Open(name) }

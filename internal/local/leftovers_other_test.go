//go:build !linux

package local

import (
	"syscall"
	"testing"
)

const canFindDetached = false

// anyProcess cannot tell here.
func anyProcess(string) bool { return false }

func hit(*testing.T, string, syscall.Signal, func(int) int) {}

func descriptors(*testing.T) int { return 0 }

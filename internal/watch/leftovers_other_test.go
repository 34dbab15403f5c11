//go:build !linux

package watch

import "testing"

func anyProcess(string) bool { return false }

func processesWith(string) []int { return nil }

func descriptors(*testing.T) int { return 0 }

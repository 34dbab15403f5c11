// Package units writes times and sizes in the units that golam shows.
package units

import (
	"fmt"
	"time"
)

// Milliseconds is a duration as a number of milliseconds.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Megabytes writes a size in bytes in decimal megabytes, as file managers show it.
func Megabytes(bytes int64) string { return fmt.Sprintf("%.2f MB", float64(bytes)/1e6) }

// MemoryMB is an amount of memory in bytes as Lambda counts it: in binary megabytes, rounded up.
func MemoryMB(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }

package units

import (
	"testing"
	"time"
)

func TestUnits(t *testing.T) {
	if got := Milliseconds(1500 * time.Microsecond); got != 1.5 {
		t.Errorf("1.5 ms is %v", got)
	}
	if got := Megabytes(4_321_987); got != "4.32 MB" {
		t.Errorf("4,321,987 bytes are %s", got)
	}
	for bytes, want := range map[int64]int64{0: 0, 1: 1, 1 << 20: 1, 1<<20 + 1: 2} {
		if got := MemoryMB(bytes); got != want {
			t.Errorf("%d bytes of memory are %d MB, want %d", bytes, got, want)
		}
	}
}

package screen

import (
	"strings"
	"time"
)

// bar draws where a part, from start to stop, lies in a whole.
func bar(width int, start, stop, whole time.Duration) string {
	if whole <= 0 {
		return strings.Repeat("━", width)
	}
	at := func(d time.Duration) int {
		return int(min(max(float64(d)/float64(whole), 0), 1)*float64(width) + 0.5)
	}
	from, to := min(at(start), width-1), at(stop)
	to = max(to, from+1)
	return strings.Repeat(" ", from) + strings.Repeat("━", to-from)
}

package local

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golam-cli/golam/internal/localhttp"
)

// TestClock: an event leaves and an answer comes when that happens at the connection, whatever golam's server does before and after.
func TestClock(t *testing.T) {
	var inv invocation
	var before, handled, arrived []time.Time
	s, err := listen("127.0.0.1:0", false, localhttp.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		handled = append(handled, time.Now())
		arrived = append(arrived, arrival(r))
		inv.leaves(r)
		before = append(before, time.Now())
		_, _ = io.WriteString(w, "event")
	})})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var sent, received []time.Time
	ask := func() {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Address, strings.NewReader("answer"))
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, time.Now())
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		received = append(received, time.Now())
	}
	if now := time.Now(); !inv.began(now).Equal(now) {
		t.Error("it has left before it was asked for")
	}
	ask()
	left := inv.began(time.Time{})
	ask()
	if again := inv.began(time.Time{}); again != left {
		t.Error("asking again changes when it left")
	}
	for i := range arrived {
		if arrived[i].Before(sent[i]) || !arrived[i].Before(handled[i]) {
			t.Errorf("request %d was sent at %s, came at %s, and was handled at %s", i, sent[i], arrived[i], handled[i])
		}
	}
	if left.Before(before[0]) || left.After(received[0]) {
		t.Errorf("it left at %s, not between %s and %s", left, before[0], received[0])
	}
}

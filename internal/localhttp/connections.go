package localhttp

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many connections a server has.
type connections struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]*list.Element // in idle, or nil
	idle *list.List                 // of net.Conn, the one that has been idle the longest first
}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*list.Element{}, idle: list.New()}
}

// changed is told of every change, as [http.Server.ConnState].
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.open[conn]; at != nil {
		c.idle.Remove(at)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.open[conn] = c.idle.PushBack(conn)
	case http.StateActive:
		c.open[conn] = nil
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	}
	if state == http.StateNew && len(c.open) > c.most {
		longest, _ := c.idle.Front().Value.(net.Conn) // the new one is there in any case
		_ = longest.Close()
		c.idle.Remove(c.idle.Front())
		delete(c.open, longest)
	}
}

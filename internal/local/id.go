package local

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// newUUID is a random (version 4) UUID, the form of request and extension identifiers.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID is the trace header of an invocation that came without one. Sampled=0 is what Lambda sends with tracing off.
func newTraceID(now time.Time, sampled bool) string {
	decision := 0
	if sampled {
		decision = 1
	}
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=%d", now.Unix(), randomHex(12), randomHex(8), decision)
}

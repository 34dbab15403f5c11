package build

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// text is something like a program: it repeats itself, not exactly, over short and long distances.
func text(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 500)
	for i := range words {
		words[i] = make([]byte, 3+random.IntN(40))
		for j := range words[i] {
			words[i][j] = byte(random.IntN(256))
		}
	}
	var content []byte
	for len(content) < size {
		content = append(content, words[random.IntN(len(words))]...)
	}
	return content[:size]
}

func deflated(t *testing.T, content []byte, slots slots, chunk int) []byte {
	t.Helper()
	var packed bytes.Buffer
	d := &deflater{w: &packed, slots: slots}
	for rest := content; len(rest) > 0; {
		n, err := d.Write(rest[:min(chunk, len(rest))])
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// TestDeflate compares what comes out with what went in, and the bytes in between however they come about.
func TestDeflate(t *testing.T) {
	for _, size := range []int{0, 1, windowSize, segmentSize - 1, segmentSize, segmentSize + 1, mostAhead*segmentSize + windowSize, 7 * segmentSize} {
		content := text(size)
		packed := deflated(t, content, make(slots, 1), 1<<20)
		unpacked, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
		if err != nil || !bytes.Equal(unpacked, content) {
			t.Errorf("%d bytes: %d come back, %v", size, len(unpacked), err)
		}
		for _, parallel := range []int{2, 16} {
			if !bytes.Equal(deflated(t, content, make(slots, parallel), 4093), packed) {
				t.Errorf("%d bytes: with %d compressors there are other bytes", size, parallel)
			}
		}
	}
}

// TestDeflateAcrossSegments: what repeats itself across the border of two segments is found.
func TestDeflateAcrossSegments(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	block := make([]byte, windowSize-1000)
	for i := range block {
		block[i] = byte(random.IntN(256))
	}
	content := bytes.Repeat(block, 3*segmentSize/len(block))
	if packed := deflated(t, content, newSlots(), 1<<16); len(packed) > 2*len(block) {
		t.Errorf("%d bytes repeated give %d", len(block), len(packed))
	}
}

type brokenWriter struct{ left int }

var errBroken = errors.New("the disk is full")

func (w *brokenWriter) Write(data []byte) (int, error) {
	if w.left -= len(data); w.left < 0 {
		return 0, errBroken
	}
	return len(data), nil
}

func TestDeflateToBrokenWriter(t *testing.T) {
	content := text(8 * segmentSize)
	d := &deflater{w: &brokenWriter{1 << 16}, slots: newSlots()}
	_, err := d.Write(content)
	if closing := d.Close(); !errors.Is(err, errBroken) && !errors.Is(closing, errBroken) {
		t.Errorf("write %v, close %v", err, closing)
	}
	d = &deflater{w: &brokenWriter{1 << 16}, slots: newSlots()}
	if _, err := d.Write(content[:segmentSize]); err != nil {
		t.Errorf("write %v", err)
	}
	if err := d.Close(); !errors.Is(err, errBroken) {
		t.Errorf("close %v", err)
	}
}

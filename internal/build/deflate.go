package build

import (
	"bytes"
	"io"
	"runtime"

	"github.com/klauspost/compress/flate"
)

// segmentSize is how many bytes of a file are compressed at a time. It is part of what makes packages reproducible: what is written depends
// on it, but not on how many segments are compressed at the same time.
const segmentSize = 1 << 20

// windowSize is how far back in a file compressed data may refer (RFC 1951).
const windowSize = 32 << 10

// mostAhead bounds the memory for one package: so many segments may be compressed but not written yet.
const mostAhead = 4

// deflater compresses what is written to it. Segments are compressed in parallel, each with the end of the one before as its dictionary, so
// the parts together are one stream.
type deflater struct {
	w       io.Writer
	slots   slots
	segment []byte
	before  []byte // the end of the segment before
	ahead   []chan compressed
}

type compressed struct {
	data []byte
	err  error
}

// slots bound how many segments of all packages are compressed at the same time.
type slots chan struct{}

func newSlots() slots { return make(slots, runtime.GOMAXPROCS(0)) }

func (d *deflater) Write(data []byte) (int, error) {
	written := len(data)
	for len(data) > 0 {
		if len(d.segment) == segmentSize {
			if err := d.compress(false); err != nil {
				return 0, err
			}
		}
		n := min(len(data), segmentSize-len(d.segment))
		d.segment, data = append(d.segment, data[:n]...), data[n:]
	}
	return written, nil
}

// Close writes what is left.
func (d *deflater) Close() error {
	err := d.compress(true)
	for err == nil && len(d.ahead) > 0 {
		err = d.next()
	}
	return err
}

// compress begins to compress the segment.
func (d *deflater) compress(last bool) error {
	if len(d.ahead) == mostAhead {
		if err := d.next(); err != nil {
			return err
		}
	}
	segment, before := d.segment, d.before
	done := make(chan compressed, 1)
	d.slots <- struct{}{}
	go func() {
		data, err := deflate(before, segment, last)
		<-d.slots
		done <- compressed{data, err}
	}()
	d.ahead = append(d.ahead, done)
	d.before = segment[max(0, len(segment)-windowSize):]
	d.segment = nil
	return nil
}

// next writes the first of the segments that are not written yet.
func (d *deflater) next() error {
	done := <-d.ahead[0]
	d.ahead = d.ahead[1:]
	if done.err != nil {
		return done.err
	}
	_, err := d.w.Write(done.data)
	return err
}

// deflate compresses one segment. All but the last end at a byte boundary.
func deflate(before, segment []byte, last bool) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, packLevel, before)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(segment); err != nil {
		return nil, err
	}
	if last {
		err = w.Close()
	} else {
		err = w.Flush()
	}
	return out.Bytes(), err
}

package expression

import (
	"encoding/binary"
	"errors"
	"io"
)

// request is what a child is asked: to check a text, or for values. The body follows in a frame of
// its own.
type request struct {
	Check string `json:"check,omitempty"`
	Asks  []Ask  `json:"asks,omitempty"`
}

// maxFrame bounds what either side takes at once, in bytes: a body, or a value, and the byte before
// it.
const maxFrame = max(MaxBody, MaxValue) + 1<<16

// verdict begins each answer of a child. There is one for each ask, and it stops behind the first
// that is not verdictValue.
type verdict byte

const (
	verdictReady verdict = 'r' // a child has started and bounded itself
	verdictValue verdict = 'v' // the value follows
	verdictText  verdict = 'x' // the text is no expression; what is wrong follows
	verdictTime  verdict = 't'
	verdictCount verdict = 'c'
	verdictFails verdict = 'f'
	verdictLarge verdict = 'l'
	verdictJSON  verdict = 'j'
)

var errFrame = errors.New("a frame is larger than it may be")

// writeFrame writes a length of four bytes and what has it.
func writeFrame(w io.Writer, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	frame := make([]byte, 4, 4+n)
	binary.BigEndian.PutUint32(frame, uint32(n)) //nolint:gosec // bounded by maxFrame
	for _, p := range parts {
		frame = append(frame, p...)
	}
	_, err := w.Write(frame)
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, errFrame
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(r, frame)
	return frame, err
}

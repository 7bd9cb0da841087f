package ingest

import (
	"errors"
	"io"
	"sync"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// maxIngesting bounds what bodies of third parties hold of the memory at the same time, in bytes:
// ten of the largest. Beyond, they are told to come again.
const maxIngesting = 256 << 20

// Of maxIngesting a source may have a quarter, and a client's address a half: one that is flooded,
// or one that floods, leaves room for the others.
const (
	sourceShare = 4
	clientShare = 2
)

// A body that is only promised holds firstRead bytes. From outsideHeap on it lies beside Go's heap,
// where it takes what has come of it and not more, and from where it goes at once when it is
// refused.
const (
	firstRead   = 4 << 10
	outsideHeap = 64 << 10
)

// shares divide maxIngesting.
type shares struct {
	total int64

	mu   sync.Mutex
	held map[string]int64 // by source, by client, and under "" of all
}

func newShares(total int64) *shares { return &shares{total: total, held: map[string]int64{}} }

// take says whether there is so much room for a body, and takes it.
func (s *shares) take(size int64, source, client string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[""]+size > s.total || s.held[source]+size > s.total/sourceShare || s.held[client]+size > s.total/clientShare {
		return false
	}
	for _, whose := range []string{"", source, client} {
		s.held[whose] += size
	}
	return true
}

func (s *shares) give(size int64, source, client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, whose := range []string{"", source, client} {
		if s.held[whose] -= size; s.held[whose] == 0 {
			delete(s.held, whose)
		}
	}
}

// room is what the bodies of one request hold: as it came, and unpacked.
type room struct {
	receiver       *Receiver
	source, client string // whose share it takes from
	held           int64
	outside        [][]byte // of its bodies, those beside the heap
}

func (r *room) take(size int) error {
	if !r.receiver.ingesting.take(int64(size), r.source, r.client) {
		return webhook.Errorf(api.Unavailable, "too much is being sent at once; try again")
	}
	r.held += int64(size)
	return nil
}

func (r *room) give(size int) {
	r.receiver.ingesting.give(int64(size), r.source, r.client)
	r.held -= int64(size)
}

// giveAll is for when the request is over: nothing may look at its bodies any more but at what keep
// gave.
func (r *room) giveAll() {
	for _, b := range r.outside {
		unmap(b)
	}
	r.outside = nil
	r.give(int(r.held))
}

// keep gives a body that may be looked at after giveAll.
func (r *room) keep(body []byte) []byte {
	if len(r.outside) == 0 {
		return body
	}
	kept := append(make([]byte, 0, len(body)), body...)
	for _, b := range r.outside {
		unmap(b)
	}
	r.outside = nil
	return kept
}

// read reads all there is, up to maxIngest; length is how much that should be, -1 if it is not
// known. It takes room as bytes come, never for what is only promised.
func (r *room) read(from io.Reader, length int64) ([]byte, error) {
	if length > maxIngest {
		return nil, ingestTooLarge()
	}
	if err := r.take(firstRead); err != nil {
		return nil, err
	}
	f := filling{room: r, b: make([]byte, 0, firstRead), length: length}
	for {
		n, err := from.Read(f.b[len(f.b):cap(f.b)])
		f.b = f.b[:len(f.b)+n]
		switch {
		case len(f.b) > maxIngest:
			return nil, ingestTooLarge()
		case errors.Is(err, io.EOF):
			return f.b, nil
		case err != nil:
			return nil, err
		case len(f.b) == cap(f.b):
			if err := f.grow(); err != nil {
				return nil, err
			}
		}
	}
}

// filling is a body that is being read.
type filling struct {
	room   *room
	b      []byte
	space  []byte // outside of the heap, where b lies; nil: in the heap
	length int64  // as it was said; -1: it was not
}

// grow makes room for more.
func (f *filling) grow() error {
	if len(f.b) == outsideHeap {
		f.move()
	}
	switch size := min(len(f.b)+outsideHeap, len(f.space)); {
	case size > len(f.b):
		if err := f.room.take(size - len(f.b)); err != nil {
			return err
		}
		f.b = f.space[:len(f.b):size]
		return nil
	case len(f.b) < outsideHeap:
		return f.copy(min(4*len(f.b), outsideHeap))
	}
	return f.copy(min(2*len(f.b), maxIngest+1)) // there is no outside, or more came than was said
}

// move goes on outside of the heap, if there is an outside. A byte more than the length shows that
// the end has come.
func (f *filling) move() {
	length := int64(maxIngest)
	if f.length >= 0 {
		length = max(f.length, outsideHeap)
	}
	space, err := mapped(int(length) + 1)
	if err != nil {
		return
	}
	f.room.outside = append(f.room.outside, space)
	f.space, f.b = space, space[:copy(space, f.b):outsideHeap]
}

// copy goes on in a larger place in the heap, and holds room for both meanwhile.
func (f *filling) copy(size int) error {
	if err := f.room.take(size); err != nil {
		return err
	}
	larger := append(make([]byte, 0, size), f.b...)
	f.room.give(cap(f.b))
	f.b, f.space = larger, nil
	return nil
}

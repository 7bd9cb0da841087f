package expression

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("the pool is closed")

// children keeps the processes that have nothing to do. How many there are in all is bounded by
// places.
type children struct {
	mu     sync.Mutex
	idle   []*child
	busy   map[*child]bool
	closed bool
}

// take gives one that is idle, or starts one. Used says which.
func (s *children) take(ctx context.Context) (c *child, used bool, err error) {
	if c, err := s.next(); c != nil || err != nil {
		return c, true, err
	}
	if c, err = startChild(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		return nil, false, &Unavailable{err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go c.end()
		return nil, false, &Unavailable{errClosed}
	}
	s.note(c)
	return c, false, nil
}

func (s *children) next() (*child, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &Unavailable{errClosed}
	}
	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1] // the one that has compiled the most
		s.idle = s.idle[:len(s.idle)-1]
		if c.sound() {
			s.note(c)
			return c, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

func (s *children) note(c *child) {
	if s.busy == nil {
		s.busy = map[*child]bool{}
	}
	s.busy[c] = true
}

// giveBack keeps a child that can be asked again.
func (s *children) giveBack(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, c)
	if c.sound() && !s.closed {
		s.idle = append(s.idle, c)
		return
	}
	go c.end()
}

func (s *children) close() {
	s.mu.Lock()
	s.closed = true
	all := s.idle
	s.idle = nil
	for c := range s.busy {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.end()
	}
}

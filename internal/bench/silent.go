package bench

import (
	"context"
	"net"
)

// silent is an endpoint that accepts every connection and never says a word.
type silent struct {
	listener net.Listener
	done     chan struct{}
	held     []net.Conn
}

func startSilent(ctx context.Context) (*silent, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &silent{listener: l, done: make(chan struct{})}
	go s.accept()
	return s, nil
}

func (s *silent) url() string { return "http://" + s.listener.Addr().String() + "/" }

func (s *silent) accept() {
	defer close(s.done)
	for {
		c, err := s.listener.Accept()
		if err != nil { // closed
			return
		}
		s.held = append(s.held, c)
	}
}

func (s *silent) close() {
	_ = s.listener.Close()
	<-s.done
	for _, c := range s.held {
		_ = c.Close()
	}
}

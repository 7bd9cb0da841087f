//go:build !noembed

package main

import (
	"context"
	"net"
)

// silentEndpoint accepts every connection and never says a word.
type silentEndpoint struct {
	listener net.Listener
	done     chan struct{}
	held     []net.Conn
}

func startSilent(ctx context.Context) (*silentEndpoint, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &silentEndpoint{listener: l, done: make(chan struct{})}
	go s.accept()
	return s, nil
}

func (s *silentEndpoint) url() string { return "http://" + s.listener.Addr().String() + "/" }

func (s *silentEndpoint) accept() {
	defer close(s.done)
	for {
		c, err := s.listener.Accept()
		if err != nil { // stopped
			return
		}
		s.held = append(s.held, c)
	}
}

func (s *silentEndpoint) stop() {
	_ = s.listener.Close()
	<-s.done
	for _, c := range s.held {
		_ = c.Close()
	}
}

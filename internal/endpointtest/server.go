package endpointtest

import (
	"context"
	"net"
	"net/http"
	"time"
)

// TB is what Start needs of a test; testing itself stays out of the binary.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatalf(format string, args ...any)
}

// Server is an Endpoint that listens on a free port.
type Server struct {
	*Endpoint

	URL string

	close func() error
}

// Close ends it before the test does, and drops what it has received.
func (s *Server) Close() error {
	s.mu.Lock()
	s.receipts = nil
	s.mu.Unlock()
	return s.close()
}

// Start serves an endpoint on the loopback until the test ends.
func Start(t TB, cfg Config) *Server {
	t.Helper()
	return StartAt(t, "127.0.0.1", cfg)
}

// StartAt serves an endpoint at an address of this machine, an IP without a port.
func StartAt(t TB, ip string, cfg Config) *Server {
	t.Helper()
	endpoint, err := New(cfg)
	if err != nil {
		t.Fatalf("script: %v", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	srv := &http.Server{Handler: endpoint, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	return &Server{Endpoint: endpoint, URL: "http://" + listener.Addr().String(), close: srv.Close}
}

// patience bounds what MustWait waits for, which comes at once when all is well, and on a busy
// machine within seconds.
const patience = 90 * time.Second

// MustWait is Wait with a patience of 90 seconds, ending the test when it runs out.
func (s *Server) MustWait(t TB, n int) []Receipt {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := s.Wait(ctx, n)
	if err != nil {
		t.Fatalf("%d of %d receipts: %v", len(got), n, err)
	}
	return got
}

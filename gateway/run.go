package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of one connection. Nobody may hold one open by being slow; the longest answer, an event
// with a thousand deliveries, has to fit.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10 // a token that names many tenants is long
	drainTimeout      = 20 * time.Second
)

// Run serves on l until ctx ends, then takes no more requests and waits up to 20 s for those under
// way. It answers nil if all of them got their answer.
func (g *Gateway) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           g.handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug), // clients' broken connections
	}
	noting, drained := context.WithCancel(context.WithoutCancel(ctx))
	var writer sync.WaitGroup
	writer.Go(func() { g.arrivals.run(noting) })
	writer.Go(func() { g.refusals.run(noting, g.now) })
	defer writer.Wait()
	defer drained()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("gateway on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	return g.drain(ctx, srv, served)
}

func (g *Gateway) drain(ctx context.Context, srv *http.Server, served <-chan error) error {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := srv.Shutdown(patience)
	if err != nil {
		_ = srv.Close() // those still under way have had their time
		err = fmt.Errorf("gateway drains: %w", err)
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

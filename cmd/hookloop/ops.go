package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
)

// opsTimeout bounds what a worker may take to say how it is.
const opsTimeout = 2 * time.Second

// ops is what the operator's own machines ask.
func (s *service) ops() http.Handler {
	if s.gateway != nil {
		return s.gateway.Ops()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { tell(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	return mux
}

// besideOps tells how a gateway is, until stop: for as long as it drains, too.
func (s *service) besideOps(ctx context.Context, l net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.serveOps(ctx, l); err != nil {
			s.log.Error("metrics are served no more", slog.Any("error", err))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// serveOps serves ops on l until ctx ends.
func (s *service) serveOps(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.ops(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("metrics on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	_ = srv.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// readyz says whether the worker can do its work now.
func (s *service) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), opsTimeout)
	defer cancel()
	if err := s.registry.Ping(ctx); err != nil {
		tell(w, http.StatusServiceUnavailable, "the registry cannot be reached")
		return
	}
	if _, err := s.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		tell(w, http.StatusServiceUnavailable, "Temporal cannot be reached")
		return
	}
	tell(w, http.StatusOK, "ready")
}

func tell(w http.ResponseWriter, code int, status string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": status})
}

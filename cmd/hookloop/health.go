package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"hookloop/internal/config"
	"hookloop/internal/terminal"
)

// opsTimeout bounds what a worker may take to say how it is.
const opsTimeout = 2 * time.Second

// ops is what the operator's own machines ask.
func (s *service) ops() http.Handler {
	if s.gateway != nil {
		return s.gateway.Ops()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerStatus(w, http.StatusOK, "ok") })
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
	if err := serveHTTP(ctx, srv, l); err != nil {
		return fmt.Errorf("metrics on %s: %w", l.Addr(), err)
	}
	return nil
}

// serveHTTP serves until ctx ends. What clients have asked then they ask again: it is not waited
// for.
func serveHTTP(ctx context.Context, srv *http.Server, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// readyz says whether the worker can do its work now.
func (s *service) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), opsTimeout)
	defer cancel()
	if err := s.registry.Ping(ctx); err != nil {
		answerStatus(w, http.StatusServiceUnavailable, "the registry cannot be reached")
		return
	}
	if err := s.temporal.Reachable(ctx); err != nil {
		answerStatus(w, http.StatusServiceUnavailable, "Temporal cannot be reached")
		return
	}
	answerStatus(w, http.StatusOK, "ready")
}

func answerStatus(w http.ResponseWriter, code int, status string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": status})
}

// healthBody bounds what is shown of an answer: it is a line.
const healthBody = 1 << 10

func newHealth() *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use:   "health [url]",
		Short: "Ask a gateway or a worker whether it can do its work",
		Long: `Ask for a URL and exit 0 if the answer is 2xx, 1 if not. Without a URL it is /readyz of the gateway that the
environment configures, else http://127.0.0.1:8080/readyz. It is for health checks of containers, which have no other program to ask with.`,
		Example: `  hookloop health
  hookloop health http://127.0.0.1:8081/readyz`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			url := strings.TrimRight(cmp.Or(config.ReadClient(config.OS).Own, "http://127.0.0.1:8080"), "/") + "/readyz"
			if len(args) > 0 {
				url = args[0]
			}
			ctx, cancel := context.WithTimeout(c.Context(), patience)
			defer cancel()
			said, err := askHealth(ctx, url)
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("%s: no answer within %s", url, patience)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), said)
			return err
		},
	}
	c.Flags().DurationVar(&patience, "timeout", 3*time.Second, "how long to wait for the answer")
	return c
}

func askHealth(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", terminal.Usage("%q is not a URL", url)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, healthBody))
	if err != nil {
		return "", fmt.Errorf("%s: %w", url, err)
	}
	said := strings.TrimSpace(string(body))
	if resp.StatusCode/100 != 2 {
		return "", fmt.Errorf("%s: %d: %s", url, resp.StatusCode, said)
	}
	return said, nil
}

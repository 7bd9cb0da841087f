// Package service is `hookloop serve` in the process of a test: gateway and worker on one client of
// a Temporal that the test runs, with a registry in a file. Tests take it where the real process is
// in their way: it refuses endpoints on loopback, and lets nothing stand between its parts. Several
// may share a folder.
package service

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"hookloop/activities"
	"hookloop/api"
	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/internal/attemptlog"
	"hookloop/internal/audit"
	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/echo"
	"hookloop/internal/erasure"
	"hookloop/internal/health"
	"hookloop/internal/keyring"
	"hookloop/internal/orchestrator"
	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/sender"
	"hookloop/internal/source"
	"hookloop/internal/token"
	"hookloop/internal/webhook"
	"hookloop/worker"
)

// Secret signs tokens.
const Secret = "a secret of this test, 32 bytes or more"

// Temporal is what a service needs to know of the one it runs on.
type Temporal struct {
	HostPort, Namespace string
	DialOptions         []grpc.DialOption // nil: over the network
}

// Config says what a service is made of.
type Config struct {
	// Dir keeps registry.db, and the key that seals it.
	Dir      string
	Temporal Temporal
	// Keep is how long the attempt log keeps attempts; zero: 30 days.
	Keep time.Duration
	// The others stand between its parts; nil: nothing does.
	Database func(driver.Connector) driver.Connector                  // between registry and database
	Calls    grpc.UnaryClientInterceptor                              // between everything and Temporal
	Events   func(gateway.Events) gateway.Events                      // between gateway and what starts events
	Sender   func(activities.Sender, sender.Config) activities.Sender // between worker and sender
}

// Service is one that runs.
type Service struct {
	URL string

	stop []func() // in the order of their making
}

// Start returns when it serves. It ends with Stop.
func Start(t testing.TB, cfg Config) *Service {
	t.Helper()
	s := &Service{}
	p := s.parts(t, cfg)
	s.work(t, cfg, p)
	s.serve(t, cfg, p)
	return s
}

// Stop ends it in good order: no requests, then no worker, then the rest. It may be called again.
func (s *Service) Stop() {
	stop := s.stop
	s.stop = nil
	for _, end := range slices.Backward(stop) {
		end()
	}
}

// parts is what gateway and worker share.
type parts struct {
	client   client.Client
	temporal *orchestrator.Orchestrator
	registry *sqlite.Registry
	echoes   *echo.Tracker
	large    *bodies.Bodies
	silent   *slog.Logger
}

func (s *Service) parts(t testing.TB, cfg Config) (p parts) {
	t.Helper()
	p.silent = slog.New(slog.DiscardHandler)
	p.registry = OpenRegistry(t, filepath.Join(cfg.Dir, "registry.db"), cfg.Database)
	s.stop = append(s.stop, func() { _ = p.registry.Close() })
	histories := codec.Clear()
	options := client.Options{
		HostPort: cfg.Temporal.HostPort, Namespace: cfg.Temporal.Namespace, Logger: sdklog.NewStructuredLogger(p.silent),
		DataConverter: histories.Converter(),
	}
	if cfg.Calls != nil {
		options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(cfg.Calls))
	}
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, cfg.Temporal.DialOptions...)
	var err error
	p.client, err = client.DialContext(t.Context(), options)
	require.NoError(t, err)
	s.stop = append(s.stop, p.client.Close)
	p.temporal, err = orchestrator.New(orchestrator.Config{Client: p.client, Namespace: cfg.Temporal.Namespace, Converter: histories.Converter()})
	require.NoError(t, err)
	p.echoes, err = echo.New(echo.Config{Store: p.registry})
	require.NoError(t, err)
	p.large, err = bodies.New(p.registry, histories.Converter())
	require.NoError(t, err)
	return p
}

func (s *Service) work(t testing.TB, cfg Config, p parts) {
	t.Helper()
	reporter := health.NewReporter(p.temporal.Approvals(), p.registry, p.silent)
	s.stop = append(s.stop, reporter.Close)
	of := sender.Config{AllowLoopback: true, Health: reporter}
	one, err := sender.New(of)
	require.NoError(t, err)
	s.stop = append(s.stop, one.Close)
	var sends activities.Sender = one
	if cfg.Sender != nil {
		sends = cfg.Sender(one, of)
	}
	events, err := p.temporal.Contents(p.large)
	require.NoError(t, err)
	recorder, err := attemptlog.NewRecorder(attemptlog.RecorderConfig{Store: p.registry})
	require.NoError(t, err)
	s.keep(t, cfg, p, recorder)
	w, err := worker.New(worker.Config{
		Client:     p.client,
		Deliveries: &activities.Delivery{Endpoints: p.registry, Sender: sends, Events: events, Echoes: p.echoes, Bodies: p.large, Log: recorder},
		Recoveries: &activities.Recovery{Deliveries: p.temporal.Redeliveries(p.registry)},
		Approvals: &activities.Approval{
			Endpoints: p.registry, Backlog: p.temporal.Backlog(), Events: p.temporal.Announcer(orchestrator.AnnouncerConfig{Endpoints: p.registry}),
		},
	})
	require.NoError(t, err)
	require.NoError(t, w.Start())
	s.stop = append(s.stop, w.Stop)
}

// keep writes the attempt log, and deletes what is old.
func (s *Service) keep(t testing.TB, cfg Config, p parts, r *attemptlog.Recorder) {
	t.Helper()
	keeper := attemptlog.NewKeeper(attemptlog.KeeperConfig{
		Store: p.registry, Histories: audit.NewAttempts(p.temporal.Histories(), nil), Logger: p.silent,
		Keep: attemptlog.Keep{Age: cmp.Or(cfg.Keep, webhook.DefaultRetention), Rows: 1_000_000},
	})
	working, rest := context.WithCancel(context.WithoutCancel(t.Context()))
	go r.Run(working)
	go keeper.Run(working)
	go p.large.Sweep(working, p.temporal.Histories(), p.silent)
	s.stop = append(s.stop, func() {
		rest()
		r.Wait()
	})
}

func (s *Service) serve(t testing.TB, cfg Config, p parts) {
	t.Helper()
	verifier, err := auth.New(auth.Config{Secret: []byte(Secret), Issuer: "hookloop", Audience: "hookloop", Logger: p.silent})
	require.NoError(t, err)
	s.stop = append(s.stop, verifier.Close)
	fetcher := sender.NewFetcher(sender.FetcherConfig{AllowLoopback: true})
	s.stop = append(s.stop, fetcher.Close)
	providers, err := source.New(source.Config{Fetch: fetcher})
	require.NoError(t, err)
	var events gateway.Events = p.temporal.Events(orchestrator.EventsConfig{Bodies: p.large, Registry: p.registry})
	if cfg.Events != nil {
		events = cfg.Events(events)
	}
	eraser, err := erasure.New(erasure.Config{Temporal: p.temporal.Erasures(), Events: events, Registry: p.registry})
	require.NoError(t, err)
	working, rest := context.WithCancel(context.WithoutCancel(t.Context()))
	s.stop = append(s.stop, rest)
	go eraser.Run(working)
	g, err := gateway.New(gateway.Config{
		Sources: p.registry, Providers: providers, Echoes: p.echoes, LargeItems: true,
		Attempts: p.registry, Waiting: p.temporal.Waiting(), Portals: p.registry, Erasures: eraser, Registry: p.registry, Events: events, Recoveries: p.temporal.Recoveries(),
		Redeliveries: p.temporal.Redeliveries(p.registry), Approvals: p.temporal.Approvals(),
		Audits: audit.New(p.temporal.Histories(), p.registry, nil), Auth: verifier, AllowLoopback: true, Logger: p.silent,
	})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // on loopback, at once
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx, l) }()
	s.URL = "http://" + l.Addr().String()
	s.stop = append(s.stop, func() {
		stop()
		<-done //nolint:errcheck // requests that did not end in time are their clients' affair
	})
}

// OpenRegistry opens the registry in a file, and makes its key beside it. It is the caller's to
// close.
func OpenRegistry(t testing.TB, path string, through func(driver.Connector) driver.Connector) *sqlite.Registry {
	t.Helper()
	keyFile := path + ".key"
	key, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = keyring.New()
		require.NoError(t, err)
		err = os.WriteFile(keyFile, key, 0o600)
	}
	require.NoError(t, err)
	sealer, err := registry.NewSealer(key)
	require.NoError(t, err)
	r, err := sqlite.OpenThrough(t.Context(), path, sealer, through)
	require.NoError(t, err)
	return r
}

// Token is good for every scope of every tenant, for so long from now.
func Token(t testing.TB, subject string, ttl time.Duration) string {
	t.Helper()
	signed, err := token.Sign(config.JWT{Secret: []byte(Secret), Issuer: "hookloop", Audience: "hookloop"}, token.Request{
		Subject: subject, Tenants: []string{"*"}, Scopes: api.Scopes(), TTL: ttl, Now: time.Now(),
	})
	require.NoError(t, err)
	return signed
}

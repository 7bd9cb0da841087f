package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/activities"
	"hookloop/gateway"
	"hookloop/internal/approvals"
	"hookloop/internal/backlog"
	"hookloop/internal/config"
	"hookloop/internal/expression"
	"hookloop/internal/ledger"
	"hookloop/internal/redelivery"
	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/sender"
	"hookloop/internal/source"
	"hookloop/worker"
	"hookloop/workflows"
)

// serviceConfig is what gateway and worker in one process need.
type serviceConfig struct {
	Client        client.Client
	Registry      string // path of the SQLite file
	RegistryKey   []byte // seals the endpoints' secrets
	JWT           config.JWT
	Ingest        config.Ingest
	AllowLoopback bool
	Logger        *slog.Logger
}

// service is a gateway and a worker sharing one Temporal client, which is what lets an event start
// eagerly: the gateway's start is answered with the worker's first task.
type service struct {
	registry *sqlite.Registry
	reporter *approvals.Reporter
	sender   *sender.Sender
	fetcher  *sender.Fetcher // of what third parties publish
	verifier *gateway.Verifier
	worker   *worker.Worker
	gateway  *gateway.Gateway
}

func newService(ctx context.Context, cfg serviceConfig) (_ *service, err error) {
	s := &service{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.registry, err = openRegistry(ctx, cfg); err != nil {
		return nil, err
	}
	asks := approvals.New(cfg.Client)
	s.reporter = asks.NewReporter(cfg.Logger)
	s.sender, err = sender.New(sender.Config{
		AllowLoopback: cfg.AllowLoopback, UserAgent: "Hookloop/" + version, Logger: cfg.Logger, Metrics: metrics,
		Health: s.reporter,
	})
	if err != nil {
		return nil, err
	}
	marks := ledger.New(s.registry, expression.New(), nil)
	again := redelivery.New(cfg.Client, converter.GetDefaultDataConverter())
	if s.worker, err = newWorker(cfg.Client, s.registry, s.sender, marks, again); err != nil {
		return nil, err
	}
	if s.verifier, err = newVerifier(cfg); err != nil {
		return nil, err
	}
	providers, err := s.newProviders(cfg)
	if err != nil {
		return nil, err
	}
	s.gateway, err = gateway.New(gateway.Config{
		Sources: s.registry, Providers: providers, Ledger: marks, PublicURL: cfg.Ingest.PublicURL,
		Registry: s.registry, Temporal: cfg.Client, Auth: s.verifier, AllowLoopback: cfg.AllowLoopback,
		Redeliveries: again, Approvals: asks, Breakers: s.sender,
		Version: version, Logger: cfg.Logger, Metrics: metrics,
	})
	return s, err
}

func openRegistry(ctx context.Context, cfg serviceConfig) (*sqlite.Registry, error) {
	sealer, err := registry.NewSealer(cfg.RegistryKey)
	if err != nil {
		return nil, fmt.Errorf("registry key: %w", err)
	}
	return sqlite.Open(ctx, cfg.Registry, sealer)
}

// newProviders knows third parties' protocols, and where they publish their keys.
func (s *service) newProviders(cfg serviceConfig) (*source.Providers, error) {
	s.fetcher = sender.NewFetcher(sender.FetcherConfig{AllowLoopback: cfg.AllowLoopback, UserAgent: "Hookloop/" + version})
	var authorities []byte
	if path := cfg.Ingest.PayPalCAFile; path != "" {
		var err error
		if authorities, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("HOOKLOOP_PAYPAL_CA_FILE: %w", err)
		}
	}
	p, err := source.New(source.Config{Fetch: s.fetcher, GoogleKeysURL: cfg.Ingest.GoogleKeysURL, PayPalCAs: authorities})
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_PAYPAL_CA_FILE: %w", err)
	}
	return p, nil
}

func newWorker(c client.Client, r *sqlite.Registry, s *sender.Sender, l *ledger.Ledger, again *redelivery.Redeliveries) (*worker.Worker, error) {
	events, err := activities.NewHistory(c, converter.GetDefaultDataConverter(), workflows.EventWorkflowID)
	if err != nil {
		return nil, err
	}
	return worker.New(worker.Config{
		Client:     c,
		Deliveries: &activities.Delivery{Endpoints: r, Sender: s, Events: events, Ledger: l},
		Recoveries: &activities.Recovery{Deliveries: again},
		Approvals: &activities.Approval{
			Endpoints: r, Backlog: backlog.New(c), Events: &approvals.Announcer{Client: c, Endpoints: r},
		},
	})
}

func newVerifier(cfg serviceConfig) (*gateway.Verifier, error) {
	return gateway.NewVerifier(gateway.AuthConfig{
		Secret: cfg.JWT.Secret, JWKSFile: cfg.JWT.JWKSFile, JWKSURL: cfg.JWT.JWKSURL,
		Issuer: cfg.JWT.Issuer, Audience: cfg.JWT.Audience, Logger: cfg.Logger,
	})
}

// run serves on l until ctx ends, then drains: first no new events, then no attempts under way.
func (s *service) run(ctx context.Context, l net.Listener) error {
	if err := s.worker.Start(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	err := s.gateway.Run(ctx, l)
	s.worker.Stop()
	return err
}

// close lets go of what newService opened, also of half of it.
func (s *service) close() error {
	if s.verifier != nil {
		s.verifier.Close()
	}
	if s.sender != nil {
		s.sender.Close()
	}
	if s.fetcher != nil {
		s.fetcher.Close()
	}
	if s.reporter != nil {
		s.reporter.Close()
	}
	if s.registry != nil {
		return s.registry.Close()
	}
	return nil
}

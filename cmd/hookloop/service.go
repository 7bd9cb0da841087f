package main

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"hookloop/activities"
	"hookloop/gateway"
	"hookloop/internal/approvals"
	"hookloop/internal/audit"
	"hookloop/internal/backlog"
	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/expression"
	"hookloop/internal/ledger"
	"hookloop/internal/published"
	"hookloop/internal/quota"
	"hookloop/internal/redelivery"
	"hookloop/internal/sender"
	"hookloop/internal/source"
	"hookloop/internal/telemetry"
	"hookloop/worker"
	"hookloop/workflows"
)

// serviceConfig is what gateway and worker need.
type serviceConfig struct {
	Role          config.Role // gateway, worker, or serve for both
	Client        client.Client
	Namespace     string // that of the client
	Telemetry     *telemetry.Telemetry
	Codec         *codec.Codec // that of the client
	Registry      string       // path of the SQLite file, or URL of the PostgreSQL database
	RegistryKey   []byte       // seals secrets
	JWT           config.JWT
	Ingest        config.Ingest
	QuotasFile    string // empty: quota.Usual for all tenants
	UIOrigins     []string
	AllowLoopback bool
	AllowNetworks []netip.Prefix
	Proxies       []netip.Prefix // whose X-Forwarded-For tells a client's address
	OpsApart      bool           // /metrics is not where third parties come
	Local         bool           // the gateway answers to this machine's names alone
	Logger        *slog.Logger
}

// service is a gateway, a worker, or both sharing one Temporal client, which is what lets an event start
// eagerly: the gateway's start is answered with the worker's first task.
type service struct {
	metrics  *prometheus.Registry
	temporal client.Client
	registry store
	large    *bodies.Bodies
	log      *slog.Logger
	reporter *approvals.Reporter
	sender   *sender.Sender  // nil without a worker
	fetcher  *sender.Fetcher // of what third parties publish
	issuer   *sender.Fetcher // of the keys of tokens

	expressions *expression.Pool
	quotas      *quota.Quotas // nil without a gateway
	verifier    *gateway.Verifier
	worker      *worker.Worker   // nil: there is none
	gateway     *gateway.Gateway // likewise
}

func newService(ctx context.Context, cfg serviceConfig) (_ *service, err error) {
	s := &service{metrics: cfg.Telemetry.Metrics(), temporal: cfg.Client, log: cfg.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := cfg.Telemetry.Watch(cfg.Client, cfg.Logger); err != nil {
		return nil, err
	}
	if s.registry, err = openStore(ctx, cfg.Registry, cfg.RegistryKey); err != nil {
		return nil, err
	}
	if s.expressions, err = expression.New(expression.Config{Metrics: s.metrics}); err != nil {
		return nil, err
	}
	marks, err := ledger.New(ledger.Config{Store: s.registry, Logger: cfg.Logger, Metrics: s.metrics, Expressions: s.expressions})
	if err != nil {
		return nil, err
	}
	large, err := bodies.New(s.registry, cfg.Codec.Converter())
	if err != nil {
		return nil, err
	}
	s.large = large
	shared := &shared{
		large: large,
		asks:  approvals.New(cfg.Client),
		marks: marks,
		again: redelivery.New(cfg.Client, cfg.Codec.Converter(), s.registry),
	}
	if cfg.Role != config.RoleGateway {
		if err := s.addWorker(cfg, shared); err != nil {
			return nil, err
		}
	}
	if cfg.Role != config.RoleWorker {
		if err := s.addGateway(cfg, shared); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// shared is what gateway and worker both use.
type shared struct {
	asks  *approvals.Approvals
	marks *ledger.Ledger
	again *redelivery.Redeliveries
	large *bodies.Bodies
}

func (s *service) addWorker(cfg serviceConfig, with *shared) (err error) {
	s.reporter = with.asks.NewReporter(cfg.Logger, s.registry)
	s.sender, err = sender.New(sender.Config{
		AllowLoopback: cfg.AllowLoopback, AllowNetworks: cfg.AllowNetworks, UserAgent: "Hookloop/" + version, Logger: cfg.Logger, Metrics: s.metrics,
		Tracer: cfg.Telemetry.Tracer("sender"), Health: s.reporter, Pacer: sharedPacer(s.registry), Expressions: s.expressions,
	})
	if err != nil {
		return err
	}
	events, err := activities.NewHistory(cfg.Client, cfg.Codec.Converter(), with.large, workflows.EventWorkflowID)
	if err != nil {
		return err
	}
	s.worker, err = worker.New(worker.Config{
		Client:     cfg.Client,
		Deliveries: &activities.Delivery{Endpoints: s.registry, Sender: s.sender, Events: events, Ledger: with.marks, Bodies: with.large},
		Recoveries: &activities.Recovery{Deliveries: with.again},
		Approvals: &activities.Approval{
			Endpoints: s.registry, Backlog: backlog.New(cfg.Client, cfg.Namespace), Events: &approvals.Announcer{Client: cfg.Client, Endpoints: s.registry},
		},
	})
	return err
}

func (s *service) addGateway(cfg serviceConfig, with *shared) (err error) {
	if s.verifier, err = s.newVerifier(cfg); err != nil {
		return err
	}
	providers, err := s.newProviders(cfg)
	if err != nil {
		return err
	}
	decoder, err := newCodecServer(cfg, s.verifier)
	if err != nil {
		return err
	}
	var breakers gateway.Breakers // a nil *sender.Sender in it would not be none
	if s.sender != nil {
		breakers = s.sender
	}
	if s.quotas, err = newQuotas(cfg, s.metrics); err != nil {
		return err
	}
	cursors, err := hkdf.Key(sha256.New, cfg.RegistryKey, nil, "hookloop cursors", sha256.Size)
	if err != nil {
		return err
	}
	s.gateway, err = gateway.New(gateway.Config{
		Quotas: s.quotas, LoopbackHosts: cfg.Local, OpsApart: cfg.OpsApart, Proxies: cfg.Proxies, CursorKey: cursors,
		Sources: s.registry, Bodies: with.large, Providers: providers, Ledger: with.marks, Expressions: s.expressions, PublicURL: cfg.Ingest.PublicURL,
		Registry: s.registry, Temporal: cfg.Client, Auth: s.verifier, AllowLoopback: cfg.AllowLoopback, AllowNetworks: cfg.AllowNetworks,
		Redeliveries: with.again, Approvals: with.asks, Audits: audit.New(cfg.Client, cfg.Codec), Breakers: breakers, Codec: decoder,
		Version: version, Logger: cfg.Logger, Metrics: s.metrics, Tracer: cfg.Telemetry.Tracer("gateway"), DataConverter: cfg.Codec.Converter(),
	})
	return err
}

// newCodecServer lets the Temporal UI show what is encrypted to those who may read it.
func newCodecServer(cfg serviceConfig, v gateway.TokenVerifier) (http.Handler, error) {
	authorize, refuse := gateway.CodecAccess(v)
	h, err := codec.NewHandler(codec.HandlerConfig{Codec: cfg.Codec, Authorize: authorize, Refuse: refuse, Origins: cfg.UIOrigins})
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_UI_ORIGINS: %w", err)
	}
	return h, nil
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
	google := published.NewKeySet(source.FreshGoogleKeys, source.OldestGoogleKeys, func(ctx context.Context) ([]byte, error) {
		return s.fetcher.Get(ctx, cmp.Or(cfg.Ingest.GoogleKeysURL, source.GoogleKeysURL))
	})
	p, err := source.New(source.Config{Fetch: s.fetcher, GoogleKeys: google, PayPalCAs: authorities})
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_PAYPAL_CA_FILE: %w", err)
	}
	return p, nil
}

func (s *service) newVerifier(cfg serviceConfig) (*gateway.Verifier, error) {
	s.issuer = sender.NewFetcher(sender.FetcherConfig{OwnAddresses: true, UserAgent: "Hookloop/" + version})
	return gateway.NewVerifier(gateway.AuthConfig{
		Fetch: s.issuer, Secret: cfg.JWT.Secret, JWKSFile: cfg.JWT.JWKSFile, JWKSURL: cfg.JWT.JWKSURL,
		Issuer: cfg.JWT.Issuer, Audience: cfg.JWT.Audience, Logger: cfg.Logger,
	})
}

// run serves on l until ctx ends, then drains: requests and attempts under way come to their end side by side,
// within 30 s in all. A gateway tells on ops how it is, nil: on l.
func (s *service) run(ctx context.Context, l, ops net.Listener) error {
	sweeping, swept := context.WithCancel(ctx)
	defer swept()
	go s.large.Sweep(sweeping, s.temporal, workflows.EventWorkflowID, s.log)
	serve := s.serveOps
	if s.gateway != nil {
		serve = s.gateway.Run
		if census, ok := s.registry.(quota.Census); ok { // a registry in a file serves one process
			go s.quotas.Run(sweeping, census)
		}
	}
	if ops != nil {
		defer s.besideOps(ctx, ops)()
	}
	if s.worker == nil {
		return serve(ctx, l)
	}
	if err := s.worker.Start(); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var draining sync.WaitGroup
	draining.Go(func() {
		<-ctx.Done()
		s.worker.Stop()
	})
	err := serve(ctx, l)
	stop() // it may have failed by itself
	draining.Wait()
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
	if s.issuer != nil {
		s.issuer.Close()
	}
	if s.expressions != nil {
		s.expressions.Close()
	}
	if s.reporter != nil {
		s.reporter.Close()
	}
	if s.registry != nil {
		return s.registry.Close()
	}
	return nil
}

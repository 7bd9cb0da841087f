package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"hookloop/gateway"
	"hookloop/internal/attemptlog"
	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/echo"
	"hookloop/internal/erasure"
	"hookloop/internal/expression"
	"hookloop/internal/orchestrator"
	"hookloop/internal/quota"
	"hookloop/internal/sender"
	"hookloop/internal/telemetry"
	"hookloop/worker"
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
	Settings      config.Everywhere
	UIOrigins     []string
	AllowLoopback bool
	Proxies       []netip.Prefix // whose X-Forwarded-For tells a client's address
	OpsApart      bool           // /metrics is not where third parties come
	Local         bool           // the gateway answers to this machine's names alone
	Deployment    config.Deployment
	Engine        erasure.Store // the embedded Temporal's; nil: it is elsewhere
	Logger        *slog.Logger
}

// service is a gateway, a worker, or both sharing one Temporal client, which is what lets an event
// start eagerly: the gateway's start is answered with the worker's first task.
type service struct {
	metrics  *prometheus.Registry
	temporal *orchestrator.Orchestrator
	registry store
	large    *bodies.Bodies
	log      *slog.Logger
	sender   *sender.Sender // nil without a worker, as are the next two
	recorder *attemptlog.Recorder
	keeper   *attemptlog.Keeper
	contents *orchestrator.Contents // likewise
	eraser   *erasure.Eraser
	issuer   *sender.Fetcher // of the keys of tokens
	ends     []func()        // let go of what was opened, the last of it first, and then of the registry

	expressions *expression.Pool
	quotas      *quota.Quotas    // nil without a gateway
	worker      *worker.Worker   // nil: there is none
	gateway     *gateway.Gateway // likewise
}

func newService(ctx context.Context, cfg serviceConfig) (_ *service, err error) {
	s := &service{metrics: cfg.Telemetry.Metrics(), log: cfg.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	proofs, err := hkdf.Key(sha256.New, cfg.RegistryKey, nil, "hookloop updates", sha256.Size)
	if err != nil {
		return nil, err
	}
	s.temporal, err = orchestrator.New(orchestrator.Config{
		Client: cfg.Client, Namespace: cfg.Namespace, Converter: cfg.Codec.Converter(), Prover: orchestrator.NewProver(proofs),
	})
	if err != nil {
		return nil, err
	}
	if err := cfg.Telemetry.Watch(s.temporal.Counts(), cfg.Logger); err != nil {
		return nil, err
	}
	if s.registry, err = openStore(ctx, cfg.Registry, cfg.RegistryKey); err != nil {
		return nil, err
	}
	if s.expressions, err = expression.New(expression.Config{Metrics: s.metrics}); err != nil {
		return nil, err
	}
	s.ends = append(s.ends, s.expressions.Close)
	echoes, err := echo.New(echo.Config{Store: s.registry, Logger: cfg.Logger, Metrics: s.metrics, Expressions: s.expressions})
	if err != nil {
		return nil, err
	}
	large, err := bodies.New(s.registry, cfg.Codec.Converter())
	if err != nil {
		return nil, err
	}
	s.large = large
	shared := &shared{large: large, echoes: echoes, redeliveries: s.temporal.Redeliveries(s.registry)}
	if cfg.Role != config.RoleGateway {
		if err := s.addWorker(cfg, shared); err != nil {
			return nil, err
		}
	}
	if s.eraser, err = s.newEraser(cfg, large); err != nil {
		return nil, err
	}
	if cfg.Role != config.RoleWorker {
		if err := s.addGateway(cfg, shared); err != nil {
			return nil, err
		}
		if err := recordQuotas(ctx, s.registry, cfg.Settings.QuotasFile); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// shared is what gateway and worker both use.
type shared struct {
	echoes       *echo.Tracker
	redeliveries *orchestrator.Redeliveries
	large        *bodies.Bodies
}

// run serves on l until ctx ends, then drains: requests and attempts under way come to their end
// side by side, within 30 s in all. A gateway tells on ops how it is, nil: on l.
func (s *service) run(ctx context.Context, l, ops net.Listener) error {
	sweeping, swept := context.WithCancel(ctx)
	defer swept()
	go s.large.Sweep(sweeping, s.temporal.Histories(), s.log)
	go s.eraser.Run(sweeping)
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
	defer s.logAttempts(sweeping)()
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

// close lets go of what newService opened, also of half of it: what was opened last goes first.
func (s *service) close() error {
	for _, end := range slices.Backward(s.ends) {
		end()
	}
	if s.registry != nil {
		return s.registry.Close()
	}
	return nil
}

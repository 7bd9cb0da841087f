package main

import (
	"context"
	"time"

	"hookloop/activities"
	"hookloop/gateway/console"
	"hookloop/internal/attemptlog"
	"hookloop/internal/audit"
	"hookloop/internal/health"
	"hookloop/internal/orchestrator"
	"hookloop/internal/sender"
	"hookloop/internal/sender/guard"
	"hookloop/worker"
)

// addWorker makes what delivers.
func (s *service) addWorker(cfg serviceConfig, with *shared) (err error) {
	reporter := health.NewReporter(s.temporal.Approvals(), s.registry, cfg.Logger)
	s.ends = append(s.ends, reporter.Close)
	s.sender, err = sender.New(sender.Config{
		UserAgent: "Hookloop/" + version, Logger: cfg.Logger, Metrics: s.metrics, Tracer: cfg.Telemetry.Tracer("sender"),
		AllowLoopback: cfg.AllowLoopback, AllowNetworks: cfg.Settings.AllowNetworks,
		Health: reporter, Pacer: sharedPacer(s.registry), Expressions: s.expressions,
	})
	if err != nil {
		return err
	}
	s.ends = append(s.ends, s.sender.Close)
	if s.contents, err = s.temporal.Contents(with.large); err != nil {
		return err
	}
	if s.recorder, err = attemptlog.NewRecorder(attemptlog.RecorderConfig{Store: s.registry, Metrics: s.metrics, Logger: cfg.Logger}); err != nil {
		return err
	}
	s.keeper = attemptlog.NewKeeper(attemptlog.KeeperConfig{
		Store: s.registry, Histories: audit.NewAttempts(s.temporal.Histories(), cfg.Codec), Logger: cfg.Logger,
		Keep: attemptlog.Keep{Age: time.Duration(cfg.Settings.AttemptsAge), Rows: int64(cfg.Settings.AttemptsRows)},
	})
	s.worker, err = worker.New(worker.Config{
		Client:     cfg.Client,
		Deployment: worker.Deployment(cfg.Deployment),
		Deliveries: &activities.Delivery{Endpoints: s.registry, Sender: s.sender, Events: s.contents, Echoes: with.echoes, Bodies: with.large, Log: s.recorder},
		Recoveries: &activities.Recovery{Deliveries: with.redeliveries},
		Approvals: &activities.Approval{
			Endpoints: s.registry, Backlog: s.temporal.Backlog(), Events: s.temporal.Announcer(announcing(s.registry, cfg)),
		},
	})
	return err
}

// announcing is what events of our own need. They name the console's pages where it is known how
// people reach them.
func announcing(m orchestrator.Matcher, cfg serviceConfig) orchestrator.AnnouncerConfig {
	c := orchestrator.AnnouncerConfig{Endpoints: m}
	if base := string(cfg.Settings.ConsoleURL); base != "" && cfg.Settings.Console {
		c.Pages = console.Pages{Base: base}
	}
	return c
}

// sharedPacer is the registry if it can keep rate limits for several workers. One in a file serves
// one process, which does that faster by itself.
func sharedPacer(s store) guard.Pacer {
	p, _ := s.(guard.Pacer)
	return p
}

// logAttempts writes what attempts come to until the worker has ended; the caller calls wait after
// that.
func (s *service) logAttempts(ctx context.Context) (wait func()) {
	recording, stop := context.WithCancel(context.WithoutCancel(ctx))
	go s.recorder.Run(recording)
	go s.keeper.Run(ctx)
	return func() {
		stop()
		s.recorder.Wait()
	}
}

package main

import (
	"hookloop/activities"
	"hookloop/internal/health"
	"hookloop/internal/sender"
	"hookloop/internal/sender/guard"
	"hookloop/worker"
)

// addWorker makes what delivers.
func (s *service) addWorker(cfg serviceConfig, with *shared) (err error) {
	s.reporter = health.NewReporter(s.temporal.Approvals(), s.registry, cfg.Logger)
	s.sender, err = sender.New(sender.Config{
		UserAgent: "Hookloop/" + version, Logger: cfg.Logger, Metrics: s.metrics, Tracer: cfg.Telemetry.Tracer("sender"),
		AllowLoopback: cfg.AllowLoopback, AllowNetworks: cfg.Settings.AllowNetworks,
		Health: s.reporter, Pacer: sharedPacer(s.registry), Expressions: s.expressions,
	})
	if err != nil {
		return err
	}
	events, err := s.temporal.Contents(with.large)
	if err != nil {
		return err
	}
	s.worker, err = worker.New(worker.Config{
		Client:     cfg.Client,
		Deployment: worker.Deployment(cfg.Deployment),
		Deliveries: &activities.Delivery{Endpoints: s.registry, Sender: s.sender, Events: events, Echoes: with.echoes, Bodies: with.large},
		Recoveries: &activities.Recovery{Deliveries: with.redeliveries},
		Approvals: &activities.Approval{
			Endpoints: s.registry, Backlog: s.temporal.Backlog(), Events: s.temporal.Announcer(s.registry),
		},
	})
	return err
}

// sharedPacer is the registry if it can keep rate limits for several workers. One in a file serves
// one process, which does that faster by itself.
func sharedPacer(s store) guard.Pacer {
	p, _ := s.(guard.Pacer)
	return p
}

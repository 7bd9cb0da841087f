package main

import (
	"hookloop/activities"
	"hookloop/internal/approvals"
	"hookloop/internal/backlog"
	"hookloop/internal/sender"
	"hookloop/internal/sender/guard"
	"hookloop/worker"
	"hookloop/workflows"
)

// addWorker makes what delivers.
func (s *service) addWorker(cfg serviceConfig, with *shared) (err error) {
	s.reporter = with.approvals.NewReporter(cfg.Logger, s.registry)
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
		Deliveries: &activities.Delivery{Endpoints: s.registry, Sender: s.sender, Events: events, Ledger: with.echoes, Bodies: with.large},
		Recoveries: &activities.Recovery{Deliveries: with.redeliveries},
		Approvals: &activities.Approval{
			Endpoints: s.registry, Backlog: backlog.New(cfg.Client, cfg.Namespace), Events: &approvals.Announcer{Client: cfg.Client, Endpoints: s.registry},
		},
	})
	return err
}

// sharedPacer is the registry if it can keep rate limits for several workers. One in a file serves one
// process, which does that faster by itself.
func sharedPacer(s store) guard.Pacer {
	p, _ := s.(guard.Pacer)
	return p
}

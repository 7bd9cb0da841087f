package main

import (
	"hookloop/internal/bodies"
	"hookloop/internal/erasure"
	"hookloop/internal/orchestrator"
)

// newEraser takes the data of events away, where this process can reach it.
func (s *service) newEraser(cfg serviceConfig, large *bodies.Bodies) (*erasure.Eraser, error) {
	c := erasure.Config{
		Temporal: s.temporal.Erasures(), Events: s.temporal.Events(orchestrator.EventsConfig{Bodies: large, Registry: s.registry}),
		Registry: s.registry, Caches: []func(tenant, eventID string){large.Forget}, Logger: cfg.Logger,
	}
	if s.contents != nil {
		c.Caches = append(c.Caches, s.contents.Forget)
	}
	if cfg.Engine != nil {
		c.Stores = append(c.Stores, cfg.Engine)
	}
	if file, is := s.registry.(erasure.Store); is { // a registry in a file
		c.Stores = append(c.Stores, file)
	}
	return erasure.New(c)
}

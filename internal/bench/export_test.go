package bench

import (
	"context"
	"time"
)

// What tests look at from outside.

type Arrival = arrival

var (
	Busiest  = busiest
	NewStage = newStage
)

func ArrivalAt(id string, at int64) Arrival {
	return arrival{id: id, at: time.UnixMilli(at), status: 204}
}

func (s *stage) Close() { s.close() }

func (s *stage) Run(ctx context.Context) (*run, error) {
	return s.run(ctx, s.load.span(s.load.Rate, 0))
}

// A run's figures.
func (r *run) Accepted() int        { return r.accepted() }
func (r *run) Refused() map[int]int { return r.refused() }
func (r *run) Attempts() int        { return len(r.arrivals) }
func (r *run) Missing() int         { _, n := r.took(r.deliveries()); return n }

package bench

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// stage is one tenant of a target with endpoints that are played here.
type stage struct {
	target   *Target
	app      *app
	load     Load
	endpoint *endpoint
	patience time.Duration // after the last post; 0: Patience
	alone    bool          // on its target, which ends with it
}

// tenants gives each stage a name of its own.
var tenants atomic.Int64

func newStage(ctx context.Context, t *Target, l Load, cfg EndpointConfig) (*stage, error) {
	a, err := newApp(t, fmt.Sprintf("bench-%d", tenants.Add(1)), l.Size)
	if err != nil {
		return nil, err
	}
	s := &stage{target: t, load: l, app: a}
	if s.endpoint, err = startEndpoint(ctx, max(l.Endpoints, 1), cfg); err != nil {
		return nil, err
	}
	for i, url := range s.endpoint.urls {
		if err := s.app.register(ctx, url, eventType(i), l.Retry); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// stage starts a target with one stage on it.
func (w World) stage(ctx context.Context, l Load, cfg EndpointConfig) (*stage, error) {
	t, err := w.Start(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newStage(ctx, t, l, cfg)
	if err != nil {
		t.Close()
		return nil, err
	}
	s.alone = true
	return s, nil
}

func (s *stage) close() {
	s.endpoint.close()
	s.app.close()
	if s.alone {
		s.target.Close()
	}
}

// send posts the nth event, to the endpoint whose turn it is.
func (s *stage) send(ctx context.Context, n int, due time.Time) post {
	return s.app.event(ctx, n, eventType(n%len(s.endpoint.urls)), due)
}

// run offers the load for a span and waits for what was accepted.
func (s *stage) run(ctx context.Context, span time.Duration) (*run, error) {
	s.endpoint.forget()
	r := &run{}
	before, err := s.target.state(ctx)
	if err != nil {
		return nil, err
	}
	r.begun = time.Now()
	if s.load.Rate > 0 {
		r.posts = openLoop(ctx, ctx, s.load.Rate, span, Patience, maxInFlight, s.send)
	} else {
		r.posts = closed(ctx, s.load.Clients, s.load.Events, span, s.send)
	}
	r.posting = time.Since(r.begun)
	s.endpoint.await(ctx, r.ids(), cmp.Or(s.patience, Patience)+s.endpoint.cfg.Latency)
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	after, err := s.target.state(ctx)
	if err != nil {
		return nil, err
	}
	r.used, r.arrivals = after.since(before), r.own(s.endpoint.seen())
	return r, r.failure()
}

// state is what a target tells of itself.
type state struct {
	cpu                 time.Duration
	deferrals, attempts float64
	deliveries          int
}

func (t *Target) state(ctx context.Context) (s state, err error) {
	if s.cpu, err = t.CPU(ctx); err != nil {
		return s, err
	}
	if s.deferrals, err = t.metric(ctx, "hookloop_deferrals_total"); err != nil {
		return s, err
	}
	if s.attempts, err = t.metric(ctx, "hookloop_attempts_total"); err != nil {
		return s, err
	}
	s.deliveries, err = t.Deliveries(ctx)
	return s, err
}

func (s state) since(before state) state {
	return state{
		cpu: s.cpu - before.cpu, deferrals: s.deferrals - before.deferrals, attempts: s.attempts - before.attempts,
		deliveries: s.deliveries - before.deliveries,
	}
}

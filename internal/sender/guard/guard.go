// Package guard decides whether a delivery's turn may become an attempt now. Before each endpoint
// stand a circuit breaker, a concurrency limit that adapts to how the endpoint answers, and its
// rate limit; tenants share what one worker can do at once. Acquire gives a permit or a deferral,
// Release takes the permit back and learns from the attempt. The guard tells a Health how endpoints
// fare and leaves it to others what to do about them. Only the sender calls it.
package guard

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hookloop/internal/webhook"
)

// Config says how endpoints are guarded.
type Config struct {
	MaxInFlight int                   // attempts in flight per endpoint, at most; 0: 1,024
	Health      Health                // told how endpoints fare; nil: none
	Pacer       Pacer                 // keeps rate limits for all workers together; nil: each keeps its own
	Metrics     prometheus.Registerer // nil: none
}

// Guard stands before the endpoints of one worker. It is safe for concurrent use.
type Guard struct {
	maxInFlight int
	health      Health
	pacer       Pacer

	mu           sync.Mutex
	endpoints    map[endpointKey]*list.Element
	recent       *list.List // of *endpoint, the last used first
	slots        int        // remembered by all pacers
	first        shares     // of the attempts in flight: the first ones
	retries      shares     // and the others
	waiting      shares     // of the deliveries that wait
	waitingBytes shares     // and of their data
}

// maxAttempts is how many first attempts, and how many retries, one worker makes at once. They are
// counted apart, so neither stands in the other's way. An attempt holds at most 2 MiB, whatever the
// endpoint answers (see the sender's newTransport).
const maxAttempts = 2048

// defaultMaxInFlight bounds the attempts in flight at one endpoint.
const defaultMaxInFlight = 1024

// New prepares a Guard that knows no endpoint yet.
func New(cfg Config) (*Guard, error) {
	if cfg.MaxInFlight < 0 {
		return nil, fmt.Errorf("at most %d attempts in flight", cfg.MaxInFlight)
	}
	g := &Guard{
		maxInFlight: cmp.Or(cfg.MaxInFlight, defaultMaxInFlight), health: cfg.Health, pacer: cfg.Pacer,
		endpoints: map[endpointKey]*list.Element{}, recent: list.New(),
		first: newShares(maxAttempts), retries: newShares(maxAttempts),
		waiting: newShares(maxWaiting), waitingBytes: newShares(maxWaitingBytes),
	}
	if cfg.Metrics == nil {
		return g, nil
	}
	return g, g.register(cfg.Metrics)
}

// Permit allows one attempt at an endpoint. Release takes it back.
type Permit struct {
	endpoint *endpoint
	share    *shares     // the tenant's share it counts against; nil: none
	breaker  *breaker    // that let it through; nil: a probe, for which no breaker is asked
	done     func(error) // tells that breaker the verdict
	since    time.Time
}

// Acquire gives a permit for an attempt at d's endpoint, after a wait of at most six seconds. An
// error is a *webhook.Deferral that says why there is no permit and when to come back, or the
// shared pacer's own trouble. Each permit must be released once.
func (g *Guard) Acquire(ctx context.Context, d webhook.Delivery) (Permit, error) {
	if ctx.Err() != nil {
		return Permit{}, Stopping()
	}
	p, deferral := g.acquire(ctx, d)
	if deferral != nil {
		return Permit{}, deferral
	}
	if err := g.pace(ctx, p, d); err != nil {
		return Permit{}, err
	}
	return p, nil
}

// Stopping defers a turn that the worker's own end cuts off. The endpoint may have taken the event
// all the same; the next turn then sends it again under the same webhook-id.
func Stopping() *webhook.Deferral {
	return &webhook.Deferral{Reason: webhook.DeferStopping, Detail: "the worker stopped before there was an answer"}
}

// acquire gives a permit as far as this worker can tell.
func (g *Guard) acquire(ctx context.Context, d webhook.Delivery) (Permit, *webhook.Deferral) {
	g.mu.Lock()
	now := time.Now()
	e := g.endpoint(d, now)
	switch {
	case d.Probe: // a person waits for it: no breaker is asked, and it passes the concurrency limit
		defer g.mu.Unlock()
		e.concurrency.start(now)
		return Permit{endpoint: e, since: now}, nil
	case e.breaker.isClosed() && (e.queue.Len() > 0 || e.concurrency.full()):
		if g.mayWait(e, d, now) {
			w := g.enqueue(e, d)
			g.mu.Unlock()
			return g.await(ctx, e, w)
		}
		defer g.mu.Unlock()
		return Permit{}, e.concurrency.deferral(now)
	}
	defer g.mu.Unlock()
	return g.grant(e, d, now)
}

// grant asks everything that may refuse a delivery which the concurrency limit lets through. The
// caller's lock spans all of them, so that a refusal by one costs the others nothing.
func (g *Guard) grant(e *endpoint, d webhook.Delivery, now time.Time) (Permit, *webhook.Deferral) {
	done, err := e.breaker.Allow()
	if err != nil {
		return Permit{}, e.breakerDeferral(err, now)
	}
	share := g.share(d)
	if refused := g.claim(e, d, share, now); refused != nil {
		done(errNoVerdict) // gives the breaker's probe back
		return Permit{}, refused
	}
	e.concurrency.start(now)
	return Permit{endpoint: e, share: share, breaker: e.breaker, done: done, since: now}, nil
}

// claim takes from the tenant's share of this worker and from the endpoint's rate limit. The limit
// comes last: its token cannot be given back.
func (g *Guard) claim(e *endpoint, d webhook.Delivery, share *shares, now time.Time) *webhook.Deferral {
	if !share.take(e.key.tenant, 1) {
		refused := e.concurrency.deferral(now)
		refused.Detail = "the tenant has its share of the attempts this worker makes at once"
		return refused
	}
	if g.pacer != nil {
		return nil
	}
	limited := e.pace(d.Endpoint.RateLimit, d.Event.ID, now, &g.slots)
	if limited != nil {
		share.giveBack(e.key.tenant, 1)
	}
	return limited
}

func (g *Guard) share(d webhook.Delivery) *shares {
	if d.First {
		return &g.first
	}
	return &g.retries
}

// Release takes the permit for d back and passes it on to the next delivery that waits. The guard
// learns from a, the attempt that was made; the zero Attempt says that none was. Health is told
// what a has changed.
func (g *Guard) Release(p Permit, d webhook.Delivery, a webhook.Attempt) {
	verdict := verdictOn(a)
	g.report(p.endpoint, d, a, verdict, g.release(p, d.Event.ID, verdict))
}

// release takes a permit back. eventID names the event that the attempt was for.
func (g *Guard) release(p Permit, eventID string, verdict error) change {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, now := p.endpoint, time.Now()
	e.concurrency.end(p.since, now, verdict)
	if p.share != nil {
		p.share.giveBack(e.key.tenant, 1)
	}
	e.usedAt = now
	defer g.serveQueue(e, now)
	return e.learn(p, eventID, now, verdict)
}

// Breaker says how the circuit breaker before an endpoint stands in this worker: "closed", "open",
// or "half-open" when the next attempt is a probe. An endpoint that is not known has a closed one.
func (g *Guard) Breaker(tenant, endpointID string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if el, ok := g.endpoints[endpointKey{tenant, endpointID}]; ok {
		return el.Value.(*endpoint).breaker.State().String()
	}
	return closedBreaker
}

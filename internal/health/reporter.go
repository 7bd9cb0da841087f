// Package health reports how endpoints fare: to the workflows that ask people, and to the other
// workers. Senders report and never wait for it. What a report leads to is for those who get it to
// decide.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"hookloop/internal/webhook"
)

const (
	// dedupeWindow is how long the same is not reported again: hundreds of deliveries may fail at
	// once, and go on failing. It is less than a breaker takes to open again.
	dedupeWindow = 20 * time.Second

	// queueSize bounds the reports that wait, and reportTimeout how long one may take. A report
	// that finds no room is dropped: the endpoint will give reason for another.
	queueSize     = 1024
	reportTimeout = 10 * time.Second
)

// The kinds of failure that are reported apart from each other. An endpoint that wants no more
// (gone) says more than one that fails. A delivery that persists in failing, and an endpoint that
// refuses every event, open no breaker.
const (
	gone     = " gone"
	persists = " persists"
	refuses  = " refuses"
)

// backdate is how long ago a breaker is reported to have opened that opened nowhere. It is longer
// than a breaker stays open, plus the skew of clocks: so the other workers send on, and know only
// that the endpoint has to recover.
const backdate = 5 * time.Minute

// Breakers is where workers tell each other that an endpoint's breaker opened, and that it
// recovered.
type Breakers interface {
	ReportBreaker(ctx context.Context, tenant, id string, openedAt time.Time) error
}

// Approvals ask people about endpoints that keep failing; orchestrator.Approvals reaches them.
type Approvals interface {
	// Failing begins an endpoint's episode if there is none.
	Failing(ctx context.Context, tenant, endpointID string, f webhook.Failing) error
	// Recovered says what an endpoint took. If deliveries wait to hear of it, and no episode is
	// open, one begins to tell them.
	Recovered(ctx context.Context, tenant, endpointID string, took webhook.Answer, waiting bool) error
}

// Reporter reports to approvals and to the other workers. Its methods never block: deliveries do
// not wait for it.
type Reporter struct {
	approvals Approvals
	breakers  Breakers
	log       *slog.Logger
	queue     chan report
	done      chan struct{}
	stop      context.CancelFunc
	ctx       context.Context

	mu       sync.Mutex
	reported map[string]time.Time // when a failure of an endpoint and a kind was last reported
	sweep    time.Time
}

type report struct {
	tenant, endpointID string
	openedAt           time.Time
	failing            *webhook.Failing // nil: the endpoint recovered
	took               webhook.Answer   // what it recovered with
	waiting            bool             // deliveries wait to hear of the recovery
}

// NewReporter begins to report; Close ends it. Without breakers (nil) each worker finds out for
// itself.
func NewReporter(a Approvals, b Breakers, log *slog.Logger) *Reporter {
	ctx, stop := context.WithCancel(context.Background())
	r := &Reporter{
		approvals: a, breakers: b, log: log, ctx: ctx, stop: stop,
		queue: make(chan report, queueSize), done: make(chan struct{}), reported: map[string]time.Time{},
	}
	go r.run()
	return r
}

// Close drops the reports that wait: the endpoints will give reason for others.
func (r *Reporter) Close() {
	r.stop()
	<-r.done
}

// Failing reports that the endpoint's breaker opened, or that it wants no more deliveries.
func (r *Reporter) Failing(tenant, endpointID string, a webhook.Attempt, eventID string) {
	kind := ""
	if a.IsGone() {
		kind = gone
	}
	r.failing(kind, report{
		tenant: tenant, endpointID: endpointID, openedAt: time.Now(),
		failing: &webhook.Failing{Answer: webhook.AnswerOf(a, eventID), Gone: a.IsGone()},
	})
}

// Persists reports that a delivery keeps failing, and no breaker opened.
func (r *Reporter) Persists(tenant, endpointID string, a webhook.Attempt, eventID string) {
	r.failing(persists, report{
		tenant: tenant, endpointID: endpointID, openedAt: time.Now().Add(-backdate),
		failing: &webhook.Failing{Answer: webhook.AnswerOf(a, eventID)},
	})
}

// Refuses reports that the endpoint takes nothing and refuses one event after the other.
func (r *Reporter) Refuses(tenant, endpointID string, a webhook.Attempt, eventID string, since time.Time) {
	since = since.UTC()
	r.failing(refuses, report{
		tenant: tenant, endpointID: endpointID, openedAt: time.Now().Add(-backdate),
		failing: &webhook.Failing{Answer: webhook.AnswerOf(a, eventID), RefusesSince: &since},
	})
}

// failing queues a failure unless the same was reported a moment ago.
func (r *Reporter) failing(kind string, n report) {
	key, now := n.tenant+"/"+n.endpointID+kind, time.Now()
	r.mu.Lock()
	last, known := r.reported[key]
	fresh := !known || now.Sub(last) >= dedupeWindow
	if fresh {
		r.reported[key] = now
		r.forget(now)
	}
	r.mu.Unlock()
	if fresh {
		r.put(n)
	}
}

// Recovered reports that the endpoint takes deliveries. If some wait to hear of it, they are told
// even when no episode is open any more.
func (r *Reporter) Recovered(tenant, endpointID string, a webhook.Attempt, eventID string, waiting bool) {
	r.mu.Lock()
	for _, kind := range []string{"", gone, persists, refuses} { // its next failure is a new one
		delete(r.reported, tenant+"/"+endpointID+kind)
	}
	r.mu.Unlock()
	r.put(report{tenant: tenant, endpointID: endpointID, took: webhook.AnswerOf(a, eventID), waiting: waiting})
}

// forget keeps the map as small as one dedupeWindow.
func (r *Reporter) forget(now time.Time) {
	if now.Sub(r.sweep) < dedupeWindow {
		return
	}
	r.sweep = now
	for key, at := range r.reported {
		if now.Sub(at) >= dedupeWindow {
			delete(r.reported, key)
		}
	}
}

func (r *Reporter) put(n report) {
	select {
	case r.queue <- n:
	default:
		r.log.Warn("too much to report about endpoints", "tenant", n.tenant, "endpoint", n.endpointID)
	}
}

func (r *Reporter) run() {
	defer close(r.done)
	for {
		select {
		case <-r.ctx.Done():
			return
		case n := <-r.queue:
			if err := r.send(n); err != nil && r.ctx.Err() == nil {
				r.log.Warn("not reported to its approval; it will be when it happens again", "tenant", n.tenant, "endpoint", n.endpointID, "error", err)
			}
		}
	}
}

func (r *Reporter) send(n report) error {
	ctx, cancel := context.WithTimeout(r.ctx, reportTimeout)
	defer cancel()
	return errors.Join(r.toWorkers(ctx, n), r.toApproval(ctx, n))
}

func (r *Reporter) toApproval(ctx context.Context, n report) error {
	if n.failing == nil {
		return r.approvals.Recovered(ctx, n.tenant, n.endpointID, n.took, n.waiting)
	}
	return r.approvals.Failing(ctx, n.tenant, n.endpointID, *n.failing)
}

// toWorkers lets the other workers heed the breaker at their next turn.
func (r *Reporter) toWorkers(ctx context.Context, n report) error {
	if r.breakers == nil {
		return nil
	}
	var openedAt time.Time
	if n.failing != nil {
		openedAt = n.openedAt.UTC().Truncate(time.Microsecond)
	}
	return r.breakers.ReportBreaker(ctx, n.tenant, n.endpointID, openedAt)
}

package guard

import (
	"errors"
	"time"

	"hookloop/internal/webhook"
)

// A delivery speaks for an endpoint that is sent too little to open a breaker when
//  1. its attempt failed that is the fifth or later, or the last of its schedule and at least the third;
//  2. no attempt at the endpoint has succeeded in this worker for an hour;
//  3. no release or probe is under way: a release sends enough, and a probe's approval gets its answer.
const (
	minAttempts = 3
	quietTime   = time.Hour
)

// Health is told how endpoints fare. Its methods are called in the course of a delivery, several at
// once, and must not block. Attempts end side by side: a Recovered may come after the Failing of an
// attempt that ended later; the endpoint's next attempt that changes anything corrects it.
type Health interface {
	// Failing reports an attempt that opened the endpoint's breaker, each time one does, and every
	// attempt whose answer asked for no more deliveries.
	Failing(tenant, endpointID string, a webhook.Attempt, eventID string)
	// Persists reports an attempt that opened no breaker, but after which people should know.
	Persists(tenant, endpointID string, a webhook.Attempt, eventID string)
	// Refuses reports an endpoint that has taken nothing since then and refused several different
	// events, of which eventID is the latest.
	Refuses(tenant, endpointID string, a webhook.Attempt, eventID string, since time.Time)
	// Recovered reports the first success since this worker knows the endpoint, and the first after
	// a Failing, Persists or Refuses, its own or another worker's. waiting says that deliveries
	// were deferred meanwhile and have to be rechecked.
	Recovered(tenant, endpointID string, a webhook.Attempt, eventID string, waiting bool)
}

// report tells Health what attempt a of d has changed. A report of a failure is noted only after it
// was made: a success in between would otherwise be reported first, and none after it.
func (g *Guard) report(e *endpoint, d webhook.Delivery, a webhook.Attempt, verdict error, c change) {
	now := time.Now()
	switch {
	case g.health == nil:
	case c.recovered:
		g.health.Recovered(e.key.tenant, e.key.id, a, d.Event.ID, c.recheckOwed)
	case c.opened, a.IsGone():
		g.health.Failing(e.key.tenant, e.key.id, a, d.Event.ID)
		g.markReported(e)
	case errors.Is(verdict, errFailing) && speaksForEndpoint(d, a, now) && now.Sub(c.lastSuccess) >= quietTime:
		g.health.Persists(e.key.tenant, e.key.id, a, d.Event.ID)
		g.markReported(e)
	case errors.Is(verdict, errRefuses):
		g.reportRefusals(e, d, a, c.refusals, now)
	}
}

// markReported notes that a failure was reported, so that the next success is reported too.
func (g *Guard) markReported(e *endpoint) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.recoveryUnreported = true
}

// speaksForEndpoint says whether a delivery that failed has come far enough to speak for its
// endpoint.
func speaksForEndpoint(d webhook.Delivery, a webhook.Attempt, now time.Time) bool {
	far := a.Number >= openAfterFailures || a.Number >= max(minAttempts, len(d.Endpoint.ScheduleOrDefault()))
	return far && !d.Probe && now.After(d.Endpoint.Releasing)
}

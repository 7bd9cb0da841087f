package guard

import (
	"cmp"
	"container/list"
	"errors"
	"time"

	"hookloop/internal/webhook"
)

// An endpoint is forgotten after an hour of idleness. That is longer than the longest deferral (30
// min and its jitter), so the breaker of a failing endpoint is still there at its delivery's next
// turn. maxEndpoints bounds the memory at about 16 MiB (and the slots', see maxAllSlots) however
// many endpoints there are. An endpoint forgotten early costs a few attempts until its breaker
// opens again.
const (
	keepIdle     = time.Hour
	maxEndpoints = 1 << 14
)

type endpointKey struct{ tenant, id string }

// endpoint is what this worker knows of one endpoint. The Guard's lock protects it.
type endpoint struct {
	key         endpointKey
	breaker     *breaker
	stagger     stagger // of the deliveries that an open breaker defers
	concurrency concurrency
	queue       *list.List // of *waiter, the longest waiting first
	pacer       *pacer     // nil: the endpoint has no rate limit
	usedAt      time.Time

	// What the registry said when this worker read it last.
	version          int
	reach            webhook.Reach
	releasing        time.Time
	lastReportedOpen time.Time // when a worker last reported the breaker open; zero: recovered since
	reportReadAt     time.Time // when this worker read that report

	lastSuccess        time.Time // zero: none since this worker knows the endpoint
	refusals           refusals  // since the latest success
	recoveryUnreported bool      // a failure was reported (or nothing yet) and no success since
	recheckOwed        bool      // an open breaker deferred deliveries; they are rechecked when it closes
}

// endpoint gives what is known of d's endpoint, brought up to date with what d read of it.
func (g *Guard) endpoint(d webhook.Delivery, now time.Time) *endpoint {
	e, isNew := g.find(endpointKey{d.Endpoint.Tenant, d.Endpoint.ID}, now)
	if isNew {
		g.forget(now)
	}
	e.sync(d.Endpoint, cmp.Or(d.ReadAt, now), now)
	return e
}

// find gives what is known of an endpoint, and makes a new entry if there is none.
func (g *Guard) find(key endpointKey, now time.Time) (e *endpoint, isNew bool) {
	el, known := g.endpoints[key]
	if !known {
		el = g.recent.PushFront(&endpoint{
			key: key, breaker: newBreaker(), concurrency: newConcurrency(g.maxInFlight), queue: list.New(),
			recoveryUnreported: true,
		})
		g.endpoints[key] = el
	}
	g.recent.MoveToFront(el)
	e = el.Value.(*endpoint)
	e.usedAt = now
	return e, !known
}

// forget drops endpoints idle for long and, while there are too many, the idlest. One with attempts
// in flight stays: a second entry beside it would let too many in. One at which a delivery has a
// slot, or which refused something lately, stays as long as there is room.
func (g *Guard) forget(now time.Time) {
	for el := g.recent.Back(); el != nil; {
		e, next, tooMany := el.Value.(*endpoint), el.Prev(), g.recent.Len() > maxEndpoints
		if !tooMany && now.Sub(e.usedAt) < keepIdle {
			return
		}
		if e.concurrency.inFlight == 0 && (tooMany || !e.hasSlots(now) && now.Sub(e.usedAt) >= e.refusals.keep()) {
			e.unpace()
			g.recent.Remove(el)
			delete(g.endpoints, e.key)
		}
		el = next
	}
}

// sync takes in what the registry says of the endpoint: that it is reached in another way, that a
// person has released its deliveries, on any worker, and what other workers found. An open
// breaker would hold deliveries up for what is past.
func (e *endpoint) sync(from webhook.Endpoint, readAt, now time.Time) {
	if from.Version > e.version {
		if from.BeginsAnew(e.reach, e.releasing) {
			e.lastReportedOpen, e.refusals = time.Time{}, refusals{}
			e.resetBreaker()
		}
		e.version, e.reach, e.releasing = from.Version, from.Reach(), from.Releasing
	}
	switch opened := from.BreakerOpenedAt; {
	case opened.IsZero() && !e.lastReportedOpen.IsZero() && readAt.Before(e.reportReadAt): // read before that report
	case opened.IsZero() && !e.lastReportedOpen.IsZero(): // another worker's probe has succeeded
		e.lastReportedOpen, e.refusals = opened, refusals{}
		e.resetBreaker()
	case opened.After(e.lastReportedOpen):
		// The worker that reported the failure may be gone when the endpoint recovers.
		e.lastReportedOpen, e.reportReadAt, e.recoveryUnreported = opened, now, true
		isRecent := now.Sub(opened).Abs() < openTime // else it is time for a probe
		if isRecent && opened.After(e.lastSuccess) {
			e.breaker.trip()
		}
	}
}

// resetBreaker replaces a breaker that has opened.
func (e *endpoint) resetBreaker() {
	if !e.breaker.isClosed() {
		e.breaker, e.stagger = newBreaker(), stagger{}
	}
}

// change is what one attempt's verdict has changed at its endpoint.
type change struct {
	opened      bool      // the breaker
	recovered   bool      // the first success since the endpoint is known or its failure was reported
	recheckOwed bool      // deliveries wait to be rechecked after the recovery
	lastSuccess time.Time // zero: there was none
	refusals    refusals
}

// learn takes in the verdict on the attempt of permit p.
func (e *endpoint) learn(p Permit, eventID string, now time.Time, verdict error) change {
	c := change{opened: e.recordVerdict(p, verdict), recovered: verdict == nil && (e.recoveryUnreported || e.recheckOwed)}
	switch {
	case verdict == nil:
		c.recheckOwed = e.recheckOwed
		e.recoveryUnreported, e.recheckOwed = false, false
		e.lastSuccess, e.refusals = now, refusals{}
	case errors.Is(verdict, errRefuses):
		e.refusals.add(eventID, now)
	}
	c.lastSuccess, c.refusals = e.lastSuccess, e.refusals
	return c
}

// recordVerdict passes a verdict on to the breaker and says whether that opened it. A probe that a
// person asked for can only mend: its success replaces the breaker, and the verdicts on attempts
// that began before count no longer.
func (e *endpoint) recordVerdict(p Permit, verdict error) (opened bool) {
	switch {
	case p.breaker == nil:
		if verdict == nil {
			e.breaker, e.stagger = newBreaker(), stagger{}
		}
		return false
	case p.breaker != e.breaker:
		return false
	}
	before := p.breaker.openings
	p.done(verdict)
	if opened = p.breaker.openings > before; opened {
		e.concurrency.reduce()
	}
	if e.breaker.isClosed() {
		e.stagger = stagger{}
	}
	return opened
}

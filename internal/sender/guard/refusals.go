package guard

import (
	"slices"
	"time"

	"hookloop/internal/webhook"
)

const (
	// minRefusals is how many different events an endpoint must refuse, and take none, before that
	// speaks against it. Fewer events may be at fault themselves.
	minRefusals = 5
	// refusalsLast is how long the refusals must have gone on before Health is told, unless the
	// endpoint's policy asks people sooner: an endpoint that takes half of a thousand events a
	// second refuses five in a row all the time.
	refusalsLast = time.Minute
	// keepRefusals is longer than the longest wait between two attempts by the default schedule and
	// its jitter: an endpoint that is sent three events a day may refuse each of them.
	keepRefusals = 30 * time.Hour
)

// refusals are the events that an endpoint has refused since it last took one. The zero value:
// none.
type refusals struct {
	since     time.Time
	events    [minRefusals]string // different ones
	n         int                 // of them
	scheduled bool                // a timer looks again when they have lasted for long enough
}

// keep is how long an idle endpoint has to be remembered for its refusals.
func (r *refusals) keep() time.Duration {
	if r.n == 0 {
		return 0
	}
	return keepRefusals
}

func (r *refusals) add(eventID string, now time.Time) {
	if r.n == 0 {
		r.since = now
	}
	if r.n < minRefusals && !slices.Contains(r.events[:r.n], eventID) {
		r.events[r.n] = eventID
		r.n++
	}
}

// remaining is how long they have to go on before they speak against the endpoint.
func (r *refusals) remaining(policy webhook.ApprovalPolicy, now time.Time) time.Duration {
	return r.since.Add(min(policy.AfterOrDefault(), refusalsLast)).Sub(now)
}

// reportRefusals tells Health of an endpoint that refuses one event after the other, once that has
// gone on for long enough: at a later refusal, or by a timer, since there may be nothing more to
// send.
func (g *Guard) reportRefusals(e *endpoint, d webhook.Delivery, a webhook.Attempt, r refusals, now time.Time) {
	eventID := d.Event.ID
	report := func() {
		g.health.Refuses(e.key.tenant, e.key.id, a, eventID, r.since)
		g.markReported(e)
	}
	remaining := r.remaining(d.Endpoint.Approval, now)
	switch {
	case r.n < minRefusals || d.Probe:
	case remaining <= 0:
		report()
	case g.scheduleReport(e, r.since):
		time.AfterFunc(remaining, func() { // keeps the answer in memory, and not the event's data
			if g.stillRefuses(e, r.since) {
				report()
			}
		})
	}
}

// scheduleReport says whether the caller has to start the timer; it says so to one caller only.
func (g *Guard) scheduleReport(e *endpoint, since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.refusals.scheduled || !e.refusals.since.Equal(since) {
		return false
	}
	e.refusals.scheduled = true
	return true
}

// stillRefuses says whether the endpoint has taken nothing since.
func (g *Guard) stillRefuses(e *endpoint, since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return e.refusals.since.Equal(since)
}

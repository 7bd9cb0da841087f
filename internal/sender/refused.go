package sender

import (
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// enoughRefused is how many different events an endpoint must refuse, and take none, before that speaks against it:
// fewer may be at fault themselves.
const enoughRefused = 5

// refusedFor is how long it must have gone on before anybody is told, unless people are asked sooner: an endpoint that takes
// half of a thousand events a second refuses five in a row all the time.
const refusedFor = time.Minute

// refused is what an endpoint has refused since it last took an event. The zero value: nothing.
type refused struct {
	since  time.Time
	events [enoughRefused]string // different ones
	n      int                   // of them
	timed  bool                  // it is looked at again when it has gone on for long enough
}

// keptRefused is longer than the longest wait between two attempts by the default schedule and its jitter: an endpoint that is
// sent three events a day may refuse each of them.
const keptRefused = 30 * time.Hour

// kept is how long an idle guard is to be remembered for what was refused.
func (r *refused) kept() time.Duration {
	if r.n == 0 {
		return 0
	}
	return keptRefused
}

func (r *refused) note(eventID string, now time.Time) {
	if r.n == 0 {
		r.since = now
	}
	if r.n < enoughRefused && !slices.Contains(r.events[:r.n], eventID) {
		r.events[r.n] = eventID
		r.n++
	}
}

// speaks says how long it still has to go on before it speaks against the endpoint; ok, whether enough was refused.
func (r *refused) speaks(policy webhook.ApprovalPolicy, now time.Time) (left time.Duration, ok bool) {
	return r.since.Add(min(policy.AfterOrDefault(), refusedFor)).Sub(now), r.n == enoughRefused
}

// refuses tells of an endpoint that refuses one event after the other, once it has done so for long enough: at a later
// refusal, or by itself when the time comes, for there may be nothing more to send.
func (s *Sender) refuses(t turn, d webhook.Delivery, a webhook.Attempt, r refused, now time.Time) {
	eventID := d.Event.ID
	tell := func() {
		s.health.Refuses(t.guard.key.tenant, t.guard.key.id, a, eventID, r.since)
		s.guards.failing(t.guard)
	}
	left, enough := r.speaks(d.Endpoint.Approval, now)
	switch {
	case !enough || d.Probe:
	case left <= 0:
		tell()
	case s.guards.timeRefused(t.guard, r.since):
		time.AfterFunc(left, func() { // holds on to the answer, and not to the event's data
			if s.guards.refusesStill(t.guard, r.since) {
				tell()
			}
		})
	}
}

// timeRefused says whether it is for the caller to look again; for all others it is not.
func (g *guards) timeRefused(gd *guard, since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if gd.refused.timed || !gd.refused.since.Equal(since) {
		return false
	}
	gd.refused.timed = true
	return true
}

// refusesStill says whether the endpoint has taken nothing since.
func (g *guards) refusesStill(gd *guard, since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return gd.refused.since.Equal(since)
}

package sender

import (
	"errors"
	"time"

	"hookloop/internal/webhook"
)

// When a delivery by itself speaks for an endpoint that is sent too little for a breaker to open: when its attempt of
// the number that would open one fails, or a later one, or the last of the schedule as it is now, after a few at
// least; and if this worker has seen nothing succeed there lately. During a release enough is sent, and of a
// probe's answer its approval hears by itself.
const (
	fewAttempts = 3
	lately      = time.Hour
)

// Health hears how endpoints fare. Its methods are called on the way of a delivery, several at once,
// and must not block. Attempts end side by side: a Recovered may come after the Failing of one that
// ended later, and the endpoint's next attempt that changes anything sets it right.
type Health interface {
	// Failing hears of an attempt that made the endpoint's breaker open, each time it does, and of every attempt that
	// was asked for no more deliveries.
	Failing(tenant, endpointID string, a webhook.Attempt, eventID string)
	// Persists hears of an attempt that opened no breaker, but after which people should know.
	Persists(tenant, endpointID string, a webhook.Attempt, eventID string)
	// Refuses hears of attempts at an endpoint that has taken nothing since then and refused several different
	// events, of which eventID is the latest.
	Refuses(tenant, endpointID string, a webhook.Attempt, eventID string, since time.Time)
	// Recovered hears of the first success since this worker knows the endpoint, and of the first
	// after a Failing, Persists or Refuses, its own or another worker's. waiting says that deliveries were deferred
	// meanwhile, and want to hear of it.
	Recovered(tenant, endpointID string, a webhook.Attempt, eventID string, waiting bool)
}

// release ends a delivery's turn and tells what its attempt changed. That somebody was told of a
// failure is noted only afterwards: a success in between would else be told before the failure, and
// none after it.
func (s *Sender) release(t turn, d webhook.Delivery, a webhook.Attempt, verdict error) {
	now, key := time.Now(), t.guard.key
	switch l := s.guards.release(t, d.Event.ID, verdict); {
	case s.health == nil:
	case l.recovered:
		s.health.Recovered(key.tenant, key.id, a, d.Event.ID, l.waiting)
	case l.opened, a.IsGone():
		s.health.Failing(key.tenant, key.id, a, d.Event.ID)
		s.guards.failing(t.guard)
	case errors.Is(verdict, errFailing) && speaks(d, a, now) && now.Sub(l.wellAt) >= lately:
		s.health.Persists(key.tenant, key.id, a, d.Event.ID)
		s.guards.failing(t.guard)
	case errors.Is(verdict, errRefuses):
		s.refuses(t, d, a, l.refused, now)
	}
}

// speaks says whether a delivery that failed has come far enough to speak for its endpoint.
func speaks(d webhook.Delivery, a webhook.Attempt, now time.Time) bool {
	far := a.Number >= tripConsecutive || a.Number >= max(fewAttempts, len(d.Endpoint.ScheduleOrDefault()))
	return far && !d.Probe && now.After(d.Endpoint.Releasing)
}

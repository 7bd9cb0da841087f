package sender

import (
	"errors"
	"time"

	"hookloop/internal/webhook"
)

// When a delivery by itself speaks for an endpoint that is sent too little for a breaker to open: after as many
// failures as would open one, or when its schedule is spent, after a few at least; and if nothing else has
// succeeded there lately. During a release enough is sent, and to some other worker perhaps.
const (
	fewFailures = 3
	lately      = time.Hour
)

// Health hears how endpoints fare. Its methods are called on the way of a delivery, several at once,
// and must not block. Attempts end side by side: a Recovered may come after the Failing of one that
// ended later, and the endpoint's next attempt that changes anything sets it right.
type Health interface {
	// Failing hears of an attempt that made the endpoint's breaker open, each time it does, of every attempt that
	// was asked for no more deliveries, and of one that failed as those of its delivery before it, with no success
	// between. The last opened no breaker: openedAt, for other workers to heed, is too long ago to open theirs.
	Failing(tenant, endpointID string, a webhook.Attempt, eventID string, openedAt time.Time)
	// Recovered hears of the first success since this worker knows the endpoint, and of the first
	// after a Failing, its own or another worker's.
	Recovered(tenant, endpointID string)
}

// leave ends a delivery's turn and tells what its attempt changed. That somebody was told of a
// failure is noted only afterwards: a success in between would else be told before the failure, and
// none after it.
func (s *Sender) leave(t turn, d webhook.Delivery, a webhook.Attempt, verdict error) {
	now, key := time.Now(), t.guard.key
	switch l := s.guards.leave(t, verdict); {
	case s.health == nil:
	case l.recovered:
		s.health.Recovered(key.tenant, key.id)
	case l.opened, a.IsGone():
		s.health.Failing(key.tenant, key.id, a, d.Event.ID, now)
		s.guards.failing(t.guard)
	case errors.Is(verdict, errFailing) && persists(d, a) && now.Sub(l.wellAt) >= lately && now.After(d.Endpoint.Releasing):
		s.health.Failing(key.tenant, key.id, a, d.Event.ID, now.Add(-openTime))
		s.guards.failing(t.guard)
	}
}

// persists says whether a delivery has failed often enough to speak for its endpoint.
func persists(d webhook.Delivery, a webhook.Attempt) bool {
	return a.Number >= tripConsecutive || a.Number >= max(fewFailures, len(d.Endpoint.ScheduleOrDefault()))
}

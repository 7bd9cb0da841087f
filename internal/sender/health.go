package sender

import "hookloop/internal/webhook"

// Health hears how endpoints fare. Its methods are called on the way of a delivery, several at once,
// and must not block. Attempts end side by side: a Recovered may come after the Failing of one that
// ended later, and the endpoint's next attempt that changes anything sets it right.
type Health interface {
	// Failing hears of an attempt that made the endpoint's breaker open, each time it does, and of
	// every attempt that was asked for no more deliveries.
	Failing(tenant, endpointID string, a webhook.Attempt, eventID string)
	// Recovered hears of the first success since this worker knows the endpoint, and of the first
	// after a Failing.
	Recovered(tenant, endpointID string)
}

// leave ends a delivery's turn and tells what its attempt changed. That somebody was told of a
// failure is noted only afterwards: a success in between would else be told before the failure, and
// none after it.
func (s *Sender) leave(t turn, d webhook.Delivery, a webhook.Attempt, verdict error) {
	opened, recovered := s.guards.leave(t, verdict)
	switch key := t.guard.key; {
	case s.health == nil:
	case recovered:
		s.health.Recovered(key.tenant, key.id)
	case opened, a.IsGone():
		s.health.Failing(key.tenant, key.id, a, d.Event.ID)
		s.guards.failing(t.guard)
	}
}

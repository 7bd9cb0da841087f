package registry

import (
	"slices"

	"hookloop/internal/webhook"
)

// Subscription is how an endpoint is found by the type of an event.
type Subscription struct {
	Patterns []string // of event types, in order
	Disabled bool     // it is found, and nothing goes to it
}

// SubscriptionOf is an endpoint's.
func SubscriptionOf(e webhook.Endpoint) Subscription {
	s := Subscription{Patterns: []string{webhook.EveryType}, Disabled: e.State == webhook.EndpointDisabled}
	if len(e.EventTypes) > 0 {
		s.Patterns = slices.Compact(slices.Sorted(slices.Values(e.EventTypes)))
	}
	return s
}

// Equal says whether both find the same.
func (s Subscription) Equal(other Subscription) bool {
	return s.Disabled == other.Disabled && slices.Equal(s.Patterns, other.Patterns)
}

package registry

import (
	"slices"

	"hookloop/internal/webhook"
)

// EveryType is the subscription of an endpoint that names no event types; no event type is spelt so.
const EveryType = "*"

// Subscriptions are the event types an endpoint is to be found by, in order; none of a disabled one.
func Subscriptions(e webhook.Endpoint) []string {
	switch {
	case e.State == webhook.EndpointDisabled:
		return nil
	case len(e.EventTypes) == 0:
		return []string{EveryType}
	}
	return slices.Compact(slices.Sorted(slices.Values(e.EventTypes)))
}

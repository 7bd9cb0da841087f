package registry

import (
	"slices"

	"hookloop/internal/webhook"
)

// Subscriptions are the patterns of event types an endpoint is to be found by, in order; none of a
// disabled one.
func Subscriptions(e webhook.Endpoint) []string {
	switch {
	case e.State == webhook.EndpointDisabled:
		return nil
	case len(e.EventTypes) == 0:
		return []string{webhook.EveryType}
	}
	return slices.Compact(slices.Sorted(slices.Values(e.EventTypes)))
}

package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
)

// The types of errors. They stand in histories: never rename one. No retry can mend the first three.
const (
	TypeEndpointGone = "EndpointGone" // deleted since the event was accepted
	TypeEventGone    = "EventGone"    // its history was deleted, and the data with it
	TypeBadWindow    = "BadWindow"    // of a recovery
	TypeDeferred     = "Deferred"     // the turn passed without an attempt; the next one is set
)

func endpointGone(cause error) error {
	return deleted("the endpoint was deleted", TypeEndpointGone, cause)
}

// EventGone ends a delivery whose event nothing holds any more: its history was deleted. An EventReader answers it.
func EventGone(cause error) error {
	return deleted("the event's history was deleted, and its data with it", TypeEventGone, cause)
}

// deleted ends a delivery for want of something that a person deleted. That is nothing wrong, so it is benign:
// an endpoint with ten thousand deliveries would else be ten thousand lines of ERROR.
func deleted(why, kind string, cause error) error {
	return temporal.NewApplicationErrorWithOptions(why, kind, temporal.ApplicationErrorOptions{
		NonRetryable: true, Cause: cause, Category: temporal.ApplicationErrorCategoryBenign,
	})
}

func badWindow(cause error) error {
	return temporal.NewNonRetryableApplicationError(cause.Error(), TypeBadWindow, cause)
}

// deferred asks Temporal for the next turn. It is nothing wrong, so it is benign: neither a line in
// the log nor a failure in the metrics.
func deferred(ctx context.Context, t Turn, why webhook.Deferral) error {
	turns := int(activity.GetInfo(ctx).Attempt) // of this attempt: those before it were deferred too
	wait := webhook.DeferWait(why, turns, t.Event.ID+"/"+t.EndpointID)
	return temporal.NewApplicationErrorWithOptions(why.Error(), TypeDeferred, temporal.ApplicationErrorOptions{
		NextRetryDelay: wait,
		Category:       temporal.ApplicationErrorCategoryBenign,
	})
}

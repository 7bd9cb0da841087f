package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
)

// The types of errors. They stand in histories: never rename one. No retry can mend the first
// three.
const (
	TypeEndpointGone = "EndpointGone" // deleted since the event was accepted
	TypeEventGone    = "EventGone"    // its history was deleted, and the data with it
	TypeBadWindow    = "BadWindow"    // of a recovery
	TypeDeferred     = "Deferred"     // the turn passed without an attempt; the time of the next one is set
)

func endpointGone(cause error) error {
	return deleted("the endpoint was deleted", TypeEndpointGone, cause)
}

// EventGone ends a delivery whose event nothing holds any more: its history was deleted. An
// EventReader answers it.
func EventGone(cause error) error {
	return deleted("the event's history was deleted, and its data with it", TypeEventGone, cause)
}

// deleted ends a delivery for want of something that a person deleted. That is nothing wrong, so it
// is benign: an endpoint with ten thousand deliveries would else be ten thousand lines of ERROR.
func deleted(why, kind string, cause error) error {
	return temporal.NewApplicationErrorWithOptions(why, kind, temporal.ApplicationErrorOptions{
		NonRetryable: true, Cause: cause, Category: temporal.ApplicationErrorCategoryBenign,
	})
}

// isFinal says whether no retry can mend err.
func isFinal(err error) bool {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && app.NonRetryable()
}

func badWindow(cause error) error {
	return temporal.NewNonRetryableApplicationError(cause.Error(), TypeBadWindow, cause)
}

// deferred asks Temporal for the next turn. It is nothing wrong, so it is benign: neither a line in
// the log nor a failure in the metrics.
func deferred(ctx context.Context, t Turn, why webhook.Deferral) error {
	n := trouble(ctx).deferrals(activity.GetInfo(ctx).Attempt)
	wait := webhook.DeferWait(why, n, t.Event.ID+"/"+t.EndpointID)
	return temporal.NewApplicationErrorWithOptions(why.Error(), TypeDeferred, temporal.ApplicationErrorOptions{
		NextRetryDelay: wait,
		Category:       temporal.ApplicationErrorCategoryBenign,
	})
}

// TurnTrouble is what a heartbeat remembers of a turn that Temporal retried for trouble of ours,
// such as a registry out of reach. Deferrals wait the longer the more of them there were, and
// Temporal counts both alike. Deferrals send no heartbeat: they are many, and trouble is rare.
type TurnTrouble struct {
	Retries int   `json:"retries"` // for trouble of ours
	Attempt int32 `json:"attempt"` // the activity's, at the last of them, from 1
}

// deferrals is how many there were in a row, from 1, when the activity's attempt is deferred. A
// recheck begins the count anew, and then all that is remembered is from before it.
func (t TurnTrouble) deferrals(attempt int32) int {
	if t.Attempt >= attempt {
		t.Retries = 0
	}
	return max(int(attempt)-t.Retries, 1)
}

func trouble(ctx context.Context) (t TurnTrouble) {
	if activity.HasHeartbeatDetails(ctx) {
		_ = activity.GetHeartbeatDetails(ctx, &t) // without it the wait is longer than it need be
	}
	return t
}

// rememberTrouble remembers that this attempt of the activity fails for trouble of ours.
func rememberTrouble(ctx context.Context) {
	t, attempt := trouble(ctx), activity.GetInfo(ctx).Attempt
	if t.Attempt >= attempt {
		t.Retries = 0
	}
	activity.RecordHeartbeat(ctx, TurnTrouble{Retries: t.Retries + 1, Attempt: attempt})
}

package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// Every timeout and RetryPolicy, with its reason. Two retries, never mixed: the endpoint answered
// badly → Schedule and webhook.Decide; we hiccupped (registry, history) → the RetryPolicy here.

// FastLane is how many first attempts of one event are under way at once. They are local activities
// of one workflow task, and share its worker with every other event.
const FastLane = 64

// wideResponse bounds what is kept of each first answer to an event with more endpoints than that,
// in bytes: a thousand answers must fit into one result, for which Temporal allows 2 MiB.
const wideResponse = 128

// attemptTimeout must exceed the longest HTTP time-out, or an attempt still under way would be
// declared dead and made twice.
const attemptTimeout = webhook.MaxTimeout + 15*time.Second

// firstAttempt retries our own hiccups for about a second. After that the durable lane has more
// patience than a workflow task does.
func firstAttempt(ctx workflow.Context, endpointID string) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    100 * time.Millisecond,
			BackoffCoefficient: 3,
			MaximumAttempts:    3,
		},
		Summary: "attempt 1 → " + endpointID,
	})
}

// attempt retries our own hiccups without end: a registry that is away for an hour costs the
// delivery an hour, never an attempt. The fairness key keeps one tenant's retries from standing in
// front of another's.
func attempt(ctx workflow.Context, tenant, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    time.Minute,
		},
		Priority: temporal.Priority{FairnessKey: tenant},
		Summary:  summary,
	})
}

// child starts a Delivery. Closing its Event (terminated, say) asks it to cancel: nobody would be
// left to read the data for. A cancelled Event waits to hear how each delivery really ended.
func child(ctx workflow.Context, in DeliveryInput) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID),
		ParentClosePolicy:   enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation: true,
		StaticSummary:       fmt.Sprintf("%s → %s", in.Event.Type, in.EndpointID),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			Tenant.ValueSet(in.Event.Tenant),
			EventType.ValueSet(in.Event.Type),
			Endpoint.ValueSet(in.EndpointID),
			Outcome.ValueSet(string(in.status())),
		),
	})
}

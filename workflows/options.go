package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// Every timeout and RetryPolicy, with its reason. Two retries, never mixed: the endpoint answered
// badly → Schedule and webhook.Decide; we hiccupped (registry, history) → the RetryPolicy here.

// FastLane is how many first attempts of one event are under way at once. They are local activities
// of one workflow task, and share its worker with every other event.
const FastLane = 64

// What a delivery does in the fast lane before it becomes a Delivery: one of those costs some
// twenty transactions, a turn here three. Operators cannot end these waits, so they are short. A
// second deferral is no accident.
const (
	fastAttempts  = 5 // 1 where an event has more than FastLane endpoints
	fastDeferrals = 1
	earlyRetry    = 15 * time.Second // the longest wait for the next attempt
	shortDeferral = time.Minute
)

// wideResponse bounds what is kept of each first answer to an event with more endpoints than that,
// in bytes: a thousand answers must fit into one result, for which Temporal allows 2 MiB.
const wideResponse = 128

// attemptTimeout must exceed the longest HTTP time-out, or an attempt still under way would be
// declared dead and made twice.
const attemptTimeout = webhook.MaxTimeout + 15*time.Second

// endless retries our own hiccups without end: a registry that is away for an hour costs an hour.
func endless() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute}
}

// threeTries take about a second. After that the durable lane has more patience than a workflow
// task does.
func threeTries() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 3, MaximumAttempts: 3}
}

func fastAttemptOptions(t activities.Turn) workflow.LocalActivityOptions {
	return workflow.LocalActivityOptions{
		StartToCloseTimeout: attemptTimeout,
		RetryPolicy:         threeTries(),
		Summary:             fmt.Sprintf("attempt %d → %s", t.Number, t.EndpointID),
	}
}

// attemptOptions leave the delay after a deferral to the activity. Cancelling waits for the answer
// of an attempt under way, so that what is reported is what happened.
func attemptOptions(t activities.Turn, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: attemptTimeout,
		WaitForCancellation: true,
		RetryPolicy:         endless(),
		Priority:            attemptPriority(t),
		Summary:             summary,
	}
}

// attemptPriority puts fresh deliveries before old retries, and within that deals turns out among
// tenants, so that neither a backlog nor a neighbour stands in front. Temporal's keys run from 1,
// the first.
func attemptPriority(t activities.Turn) temporal.Priority {
	p := temporal.Priority{PriorityKey: 2, FairnessKey: t.Event.Tenant}
	switch {
	case t.Number > 5: // by the default schedule: older than two hours
		p.PriorityKey = 4
	case t.Number > 2:
		p.PriorityKey = 3
	}
	return p
}

// localAnnounceOptions are for a read of the registry that mostly finds nothing to announce.
func localAnnounceOptions(summary string) workflow.LocalActivityOptions {
	return workflow.LocalActivityOptions{StartToCloseTimeout: 5 * time.Second, RetryPolicy: threeTries(), Summary: summary}
}

// lateAnnounceOptions are for an announcement that no person waits for: it comes after all retries.
func lateAnnounceOptions(tenant, summary string) workflow.ActivityOptions {
	o := registryOptions(tenant, summary)
	o.Priority.PriorityKey = 5
	return o
}

// registryOptions are for what a registry or a visibility store does in milliseconds.
func registryOptions(tenant, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy:         endless(),
		Priority:            temporal.Priority{PriorityKey: 1, FairnessKey: tenant}, // few, and a person waits
		Summary:             summary,
	}
}

// recoveryOptions bound one page: a hundred redeliveries at the slowest pace allowed, 0.1 a second,
// take a thousand seconds. A worker that died is missed after a minute without a heartbeat.
func recoveryOptions(tenant string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: time.Hour,
		HeartbeatTimeout:    time.Minute,
		WaitForCancellation: true,
		RetryPolicy:         endless(),
		Priority:            temporal.Priority{PriorityKey: 4, FairnessKey: tenant}, // its deliveries have their own
	}
}

// probeOptions bound an attempt, the n-th of those that decide together, and the wait for its
// permit. A worker that died is missed after twenty seconds without a heartbeat; the delivery makes
// the probe once all the same. A retry comes a second later, by which the list of what is held may
// be behind.
func probeOptions(tenant string, n int) workflow.ActivityOptions {
	summary := "send the oldest"
	if n > 1 {
		summary = fmt.Sprintf("send the next oldest, %d of %d: the one before was refused", n, mostProbes)
	}
	return workflow.ActivityOptions{
		StartToCloseTimeout: 2 * attemptTimeout,
		HeartbeatTimeout:    20 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 1},
		Priority:            temporal.Priority{PriorityKey: 1, FairnessKey: tenant},
		Summary:             summary,
	}
}

// releaseBatch is how long a batch of a release should take: progress is shown that often, and a
// signal that got lost is made good. maxBatch bounds what the fastest releases hold in memory.
const (
	releaseBatch = 30 * time.Second
	maxBatch     = 5000
)

// stoppedWait is how long a release that found its endpoint stopped waits to learn by whom: the
// gateway says so within milliseconds of the change, unless it dies between the two.
const stoppedWait = time.Minute

// releaseOptions bound a batch, which takes half a minute, and a recheck of all deliveries of an
// endpoint, which takes one second for two hundred. A worker that died is missed after twenty
// seconds without a heartbeat: twice the time between two deliveries at the slowest pace.
func releaseOptions(tenant, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: 24 * time.Hour,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		RetryPolicy:         endless(),
		Priority:            temporal.Priority{PriorityKey: 1, FairnessKey: tenant},
		Summary:             summary,
	}
}

func recheckOptions(tenant string) workflow.ActivityOptions {
	return releaseOptions(tenant, "let deliveries recheck the endpoint")
}

// deliveryOptions are those of a child. Closing its Event (terminated, say) asks it to cancel, for
// the data to send goes with the Event. A cancelled Event waits to learn how each delivery ended.
func deliveryOptions(in DeliveryInput) workflow.ChildWorkflowOptions {
	return workflow.ChildWorkflowOptions{
		WorkflowID:          DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID),
		ParentClosePolicy:   enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation: true,
		StaticSummary:       fmt.Sprintf("%s → %s", in.Event.Type, in.EndpointID),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			Tenant.ValueSet(in.Event.Tenant),
			EventType.ValueSet(in.Event.Type),
			Endpoint.ValueSet(in.EndpointID),
			Outcome.ValueSet(in.outcome()),
			Accepted.ValueSet(in.AcceptedAt.UTC().Format(AcceptedFormat)),
		),
	}
}

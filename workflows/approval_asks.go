package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// What an approval asks of the world, through activities.

// The types of the events that tell a tenant about its endpoints.
const (
	EventHeld      = "endpoint.held"
	EventReminder  = "endpoint.reminder"
	EventReleased  = "endpoint.released"
	EventRecovered = "endpoint.recovered" // all that was held has gone out
	EventRejected  = "endpoint.rejected"
)

// reminderEvery is how often people are reminded of a question.
const reminderEvery = 24 * time.Hour

// recountAfter is when what waits is counted again: soon after the question, and ever more rarely.
func recountAfter(counted int) time.Duration {
	return min(10*time.Second<<min(max(counted, 1)-1, 9), time.Hour)
}

func (a *approval) subject() activities.Subject {
	return activities.Subject{Tenant: a.in.Tenant, EndpointID: a.in.EndpointID}
}

func (a *approval) look(ctx workflow.Context) (f activities.EndpointFacts, err error) {
	err = workflow.ExecuteActivity(quick(ctx, a.in.Tenant, "look at the endpoint"), keeper.LookAtEndpoint, a.subject()).Get(ctx, &f)
	return f, err
}

func (a *approval) change(ctx workflow.Context, to webhook.EndpointState, reason string, releasing time.Duration, from ...webhook.EndpointState) (activities.StateChanged, error) {
	var r activities.StateChanged
	err := workflow.ExecuteActivity(quick(ctx, a.in.Tenant, "the endpoint becomes "+string(to)), keeper.ChangeState, activities.StateChange{
		Subject: a.subject(), From: from, To: to, Reason: reason, Releasing: releasing,
	}).Get(ctx, &r)
	if err == nil {
		a.facts = r.EndpointFacts
	}
	return r, err
}

func (a *approval) count(ctx workflow.Context) error {
	a.counted++
	waiting := 0
	err := workflow.ExecuteActivity(quick(ctx, a.in.Tenant, "count what waits"), keeper.CountWaiting, a.subject()).Get(ctx, &waiting)
	if err == nil {
		a.report.Waiting, a.report.CountedAt = &waiting, at(ctx)
	}
	return err
}

// recount is how long until what waits is counted again; not positive: now.
func (a *approval) recount(ctx workflow.Context) time.Duration {
	if a.report.CountedAt == nil {
		return 0
	}
	return a.report.CountedAt.Add(recountAfter(a.counted)).Sub(workflow.Now(ctx))
}

// probeOldest sends the oldest delivery that is none of those that were refused.
func (a *approval) probeOldest(ctx workflow.Context, refused []webhook.Answer) (p webhook.Probe, err error) {
	a.probes++
	order := activities.ProbeOrder{Subject: a.subject(), Key: fmt.Sprintf("%s/%d", workflow.GetInfo(ctx).FirstRunID, a.probes)}
	for _, r := range refused {
		order.After = append(order.After, r.EventID)
	}
	err = workflow.ExecuteActivity(probing(ctx, a.in.Tenant, len(refused)+1), keeper.ProbeOldest, order).Get(ctx, &p)
	return p, err
}

// releaseBatch is a batch of half a minute or so, and less when something is said.
func (a *approval) releaseBatch(ctx workflow.Context) (r activities.ReleaseResult, err error) {
	batch := activities.Release{
		Subject: a.subject(), RatePerSecond: a.rate(),
		Limit: min(max(int(a.rate()*releaseBatch.Seconds()), 1), maxBatch),
	}
	going, stop := workflow.WithCancel(ctx)
	defer stop()
	gone := workflow.ExecuteActivity(releasing(going, a.in.Tenant, fmt.Sprintf("release %d at most", batch.Limit)), keeper.ReleaseHeld, batch)
	asked := workflow.GetInfo(ctx).GetCurrentHistoryLength()
	_ = workflow.Await(ctx, func() bool { return gone.IsReady() || a.said.Failing > 0 || a.said.End != nil })
	if !gone.IsReady() {
		cancelLater(ctx, asked)
		stop()
	}
	err = gone.Get(ctx, &r)
	if cancelled, ok := asCancelled(err); ok && cancelled.HasDetails() {
		_ = cancelled.Details(&r) // then the figures stay as they were
	}
	return r, err
}

// recheck brings what was deferred on its way, as far as nothing else is said meanwhile.
func (a *approval) recheck(ctx workflow.Context) error {
	going, stop := workflow.WithCancel(ctx)
	defer stop()
	gone := workflow.ExecuteActivity(releasing(going, a.in.Tenant, "bring what was deferred on its way"), keeper.RecheckDeferred, a.subject())
	asked := workflow.GetInfo(ctx).GetCurrentHistoryLength()
	_ = workflow.Await(ctx, func() bool { return gone.IsReady() || a.said.Failing > 0 || a.said.Gone || a.said.orders() })
	if !gone.IsReady() {
		cancelLater(ctx, asked)
		stop()
	}
	err := gone.Get(ctx, nil)
	if temporal.IsCanceledError(err) && ctx.Err() == nil { // by what was said
		return nil
	}
	return err
}

// nudge lets deliveries find out how the endpoint stands now, instead of when their time comes.
func (a *approval) nudge(ctx workflow.Context, why webhook.Verb, held bool) error {
	return workflow.ExecuteActivity(releasing(ctx, a.in.Tenant, "tell deliveries to look"), keeper.NudgeAll, activities.Nudge{
		Subject: a.subject(), Verb: why, Held: held,
	}).Get(ctx, nil)
}

// told is what the tenant's other endpoints learn.
type told struct {
	EndpointID   string                `json:"endpoint_id"`
	State        webhook.EndpointState `json:"state"`
	Reason       string                `json:"reason"`
	FailingSince *time.Time            `json:"failing_since,omitempty"`
	DecideBy     *time.Time            `json:"decide_by,omitempty"`
	Waiting      *int                  `json:"waiting,omitempty"`
	WorkflowID   string                `json:"workflow_id"`
}

func (a *approval) announce(ctx workflow.Context, eventType string) error {
	t := told{
		EndpointID: a.in.EndpointID, State: a.facts.State, Reason: a.report.Reason,
		FailingSince: a.report.FailingSince, Waiting: a.report.Waiting, WorkflowID: a.report.WorkflowID,
	}
	if a.report.Status == webhook.ApprovalAwaiting {
		t.DecideBy = a.report.DecideBy
	}
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	a.announced++
	return workflow.ExecuteActivity(quick(ctx, a.in.Tenant, eventType), keeper.Announce, activities.Announcement{
		Subject: a.subject(), Type: eventType, At: workflow.Now(ctx).UTC(), Data: data,
		Key: fmt.Sprintf("%s %s %d", workflow.GetInfo(ctx).FirstRunID, eventType, a.announced), // with a space: never an app's
	}).Get(ctx, nil)
}

// at is now, for a report.
func at(ctx workflow.Context) *time.Time {
	now := workflow.Now(ctx).UTC()
	return &now
}

func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.Before(first) {
			first = t
		}
	}
	return first
}

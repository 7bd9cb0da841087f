package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// All that an approval does to the world: it shows how it stands, waits, and runs activities. Each
// of these shows first, so that people never read what was true before the last wait.

// approvalActivities is nil and lends its method names: workflows refer to activities, they never
// call them.
var approvalActivities *activities.Approval

// show brings the UI up to date: the details each time, the Outcome only when it changed, for that
// one is recorded.
func (a *approval) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, a.details())
	if a.outcome == a.report.Status {
		return
	}
	a.outcome = a.report.Status
	if err := workflow.UpsertTypedSearchAttributes(ctx, Outcome.ValueSet(string(a.outcome))); err != nil {
		workflow.GetLogger(ctx).Error("outcome not shown", "error", err)
	}
}

// wait returns when until says so or the history has grown long, or says that the time is over.
func (a *approval) wait(ctx workflow.Context, d time.Duration, summary string, until func() bool) (over bool, err error) {
	a.show(ctx)
	if until() || d <= 0 {
		return !until(), ctx.Err()
	}
	timed, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timed, d, workflow.TimerOptions{Summary: summary})
	err = workflow.Await(ctx, func() bool { return until() || timer.IsReady() || suggested(ctx) })
	return timer.IsReady() && !until(), err
}

func (a *approval) execute(ctx workflow.Context, o workflow.ActivityOptions, activity, in, out any) error {
	a.show(ctx)
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), activity, in).Get(ctx, out)
}

// executeUntil cancels the activity when stop says so, and takes what it answers to that.
func (a *approval) executeUntil(ctx workflow.Context, o workflow.ActivityOptions, stop func() bool, activity, in, out any) error {
	a.show(ctx)
	return interruptible(workflow.WithActivityOptions(ctx, o), stop, activity, in).Get(ctx, out)
}

func (a *approval) endpoint() activities.EndpointRef {
	return activities.EndpointRef{Tenant: a.in.Tenant, EndpointID: a.in.EndpointID}
}

// change moves the endpoint from one of some states to another, and learns how it stands then.
func (a *approval) change(ctx workflow.Context, to webhook.EndpointState, reason string, releasing time.Duration, from ...webhook.EndpointState) (r activities.StateChanged, err error) {
	err = a.execute(ctx, registryOptions(a.in.Tenant, "the endpoint becomes "+string(to)), approvalActivities.ChangeState, activities.StateChange{
		EndpointRef: a.endpoint(), From: from, To: to, Reason: reason, Releasing: releasing,
	}, &r)
	if err == nil {
		a.facts = r.EndpointFacts
	}
	return r, err
}

// count counts the deliveries that wait for the endpoint.
func (a *approval) count(ctx workflow.Context) error {
	a.counted++
	waiting := 0
	err := a.execute(ctx, registryOptions(a.in.Tenant, "count what waits"), approvalActivities.CountWaiting, a.endpoint(), &waiting)
	if err == nil {
		now := workflow.Now(ctx).UTC()
		a.report.Waiting, a.report.CountedAt = &waiting, &now
	}
	return err
}

// recountIn is how long until what waits is counted again: soon after the question, and ever more
// rarely. Not positive: now.
func (a *approval) recountIn(now time.Time) time.Duration {
	if a.report.CountedAt == nil {
		return 0
	}
	every := min(10*time.Second<<min(max(a.counted, 1)-1, 9), time.Hour)
	return a.report.CountedAt.Add(every).Sub(now)
}

// recheckAll lets all deliveries, also the held ones, read how the endpoint stands now.
func (a *approval) recheckAll(ctx workflow.Context, why webhook.Instruction) error {
	return a.execute(ctx, recheckOptions(a.in.Tenant), approvalActivities.RecheckAll,
		activities.Recheck{EndpointRef: a.endpoint(), Instruction: why, Held: true}, nil)
}

// recheckUnheldUntil lets the deliveries that are not held read how the endpoint stands now,
// instead of when their time comes. It ends early when stop says so.
func (a *approval) recheckUnheldUntil(ctx workflow.Context, why webhook.Instruction, stop func() bool) error {
	return a.executeUntil(ctx, recheckOptions(a.in.Tenant), stop, approvalActivities.RecheckAll,
		activities.Recheck{EndpointRef: a.endpoint(), Instruction: why}, nil)
}

// announce brings an event about the endpoint to the tenant's other endpoints.
func (a *approval) announce(ctx workflow.Context, eventType string) error {
	notice := webhook.EndpointNotice{
		EndpointID: a.in.EndpointID, State: a.facts.State, Reason: a.report.Reason,
		FailingSince: a.report.FailingSince, Waiting: a.report.Waiting, LastAnswers: a.report.LastAnswers, WorkflowID: a.report.WorkflowID,
	}
	if a.report.Status == webhook.ApprovalAwaiting {
		notice.DecideBy = a.report.DecideBy
	}
	data, err := json.Marshal(notice)
	if err != nil {
		return err
	}
	a.announced++
	return a.execute(ctx, registryOptions(a.in.Tenant, eventType), approvalActivities.Announce, activities.Announcement{
		EndpointRef: a.endpoint(), Type: eventType, At: workflow.Now(ctx).UTC(), Data: data,
		Key: fmt.Sprintf("%s %s %d", workflow.GetInfo(ctx).FirstRunID, eventType, a.announced), // with a space: never an app's
	}, nil)
}

// readFacts asks the registry how the endpoint is set.
func (a *approval) readFacts(ctx workflow.Context) error {
	return a.execute(ctx, registryOptions(a.in.Tenant, "read the endpoint"), approvalActivities.ReadEndpoint, a.endpoint(), &a.facts)
}

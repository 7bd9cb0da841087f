package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// deliveryActivities is nil and lends its method names, as approvalActivities does.
var deliveryActivities *activities.Delivery

// turn gives the delivery its chance to make the next attempt. While Temporal retries a deferred
// turn, any order in the inbox ends that; an attempt under way is waited for.
func (d *delivery) turn(ctx workflow.Context) {
	if by := d.inbox.Cancel; by != nil {
		d.report.Status, d.report.Reason = webhook.Cancelled, "cancelled"+byAndWhy(*by)
		return
	}
	if err := ctx.Err(); err != nil {
		d.withoutTurn(ctx, err)
		return
	}
	if d.leftParked(ctx) {
		return
	}
	turn := d.nextTurn()
	d.show(ctx)
	var r activities.TurnResult
	o := attemptOptions(turn, d.turnSummary())
	err := interruptible(workflow.WithActivityOptions(ctx, o), func() bool { return !d.inbox.empty() },
		deliveryActivities.Attempt, turn).Get(ctx, &r)
	d.probing = false
	if err != nil {
		d.withoutTurn(ctx, err)
		return
	}
	d.takeResult(r)
	if d.report.Status != webhook.Held {
		d.inbox.Release = false // it went
	}
	if a := r.Attempt; turn.Probe && a != nil && a.Class() == webhook.Fails && d.report.Status != webhook.Rejected {
		d.hold(webhook.Deferral{Detail: "the probe failed: " + webhook.AnswerOf(*a, "").String()})
	}
}

// leftParked ends a parked delivery that no person let go in time.
func (d *delivery) leftParked(ctx workflow.Context) bool {
	if d.in.Parked == "" || !d.inbox.empty() || workflow.Now(ctx).Before(d.parkedUntil) {
		return false
	}
	d.report.Status, d.report.Reason = webhook.Rejected, "it was not let go in time: "+d.in.Parked
	return true
}

// nextTurn acts on the inbox.
func (d *delivery) nextTurn() activities.Turn {
	if d.inbox.RetryNow {
		d.in.Parked = ""
	}
	turn := activities.Turn{
		Event: d.in.Event, EventRunID: d.in.EventRunID, EndpointID: d.in.EndpointID,
		Number: d.nextNumber(),
		Held:   d.report.Status == webhook.Held && d.inbox.empty(),
		Probe:  d.inbox.Probe,
		Parked: d.in.Parked,
	}
	if d.report.Status == webhook.Held && d.in.Parked == "" && !d.inbox.empty() {
		d.report.Status = webhook.Retrying
		d.deferrals = 0 // it may become held anew, and miss a release at that moment
	}
	d.probing = d.inbox.Probe
	d.inbox = deliveryInbox{}
	return turn
}

// takeResult takes in what came of a turn.
func (d *delivery) takeResult(r activities.TurnResult) {
	if len(d.in.Schedule) == 0 {
		d.in.Schedule = r.Schedule
	}
	if r.Attempt == nil {
		d.deferred(*r.Deferral)
		return
	}
	d.report.Attempts = append(d.report.Attempts, *r.Attempt)
	if n := len(d.report.Attempts) - keptAttempts; n > 0 {
		d.report.Attempts = d.report.Attempts[n:]
	}
	d.deferrals = 0
	d.decide(*r.Attempt)
}

// withoutTurn takes in that there was no turn: the inbox ended its deferral, and the next turn
// follows at once, or there is nothing left to deliver, or nowhere to. Everything else was retried
// without end.
func (d *delivery) withoutTurn(ctx workflow.Context, err error) {
	if temporal.IsCanceledError(err) && ctx.Err() == nil && !d.inbox.empty() {
		d.next = 0
		return
	}
	d.report.Status, d.report.Reason = webhook.Cancelled, reasonOf(err)
}

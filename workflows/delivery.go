package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// DeliveryResult is how a Delivery ended. It stands in the Event's history once per troubled
// delivery, so it is small; the attempts are in the answer to QueryReport.
type DeliveryResult struct {
	Status   webhook.DeliveryStatus `json:"status"`
	Reason   string                 `json:"reason,omitempty"`
	Attempts int                    `json:"attempts"`
}

// Delivery brings one event to one endpoint that did not take it at the first attempt: wait,
// attempt, decide, again, until it is delivered or its schedule is spent.
func Delivery(ctx workflow.Context, in DeliveryInput) (DeliveryResult, error) {
	d := newDelivery(in)
	if err := workflow.SetQueryHandler(ctx, QueryReport, d.answer); err != nil {
		return DeliveryResult{}, err
	}
	for !d.report.Status.Ended() {
		d.wait(ctx)
		d.turn(ctx)
	}
	return d.finish(ctx)
}

type delivery struct {
	in        DeliveryInput
	report    webhook.DeliveryReport
	next      time.Duration // the wait before the next turn
	deferrals int           // in a row
	outcome   webhook.DeliveryStatus
}

func newDelivery(in DeliveryInput) *delivery {
	d := &delivery{in: in, outcome: in.status(), report: webhook.DeliveryReport{
		EndpointID: in.EndpointID,
		Status:     in.status(),
		Attempts:   in.Attempts,
		WorkflowID: DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID),
	}}
	switch {
	case len(in.Attempts) > 0:
		d.decide(in.Attempts[len(in.Attempts)-1])
	case in.Deferral != nil:
		d.deferred(*in.Deferral)
	}
	return d
}

// status is where a delivery stands when its workflow starts.
func (in DeliveryInput) status() webhook.DeliveryStatus {
	if len(in.Attempts) > 0 {
		return webhook.Retrying
	}
	return webhook.Pending
}

func (d *delivery) answer() (webhook.DeliveryReport, error) { return d.report, nil }

// seed makes this delivery's jitter its own, and the same in every replay.
func (d *delivery) seed() string { return d.in.Event.ID + "/" + d.in.EndpointID }

// wait lets the time to the next turn pass. A cancelled wait is found out by the turn after it.
func (d *delivery) wait(ctx workflow.Context) {
	d.show(ctx)
	if d.next <= 0 {
		return
	}
	at := workflow.Now(ctx).Add(d.next).UTC()
	d.report.NextAttemptAt = &at
	d.show(ctx)
	timer := workflow.NewTimerWithOptions(ctx, d.next, workflow.TimerOptions{Summary: d.waitSummary()})
	_ = timer.Get(ctx, nil)
	d.report.NextAttemptAt = nil
}

// turn gives the delivery its chance to make the next attempt.
func (d *delivery) turn(ctx workflow.Context) {
	turn := activities.Turn{
		Event: d.in.Event, EventRunID: d.in.EventRunID, EndpointID: d.in.EndpointID,
		Number: len(d.report.Attempts) + 1,
	}
	var r activities.TurnResult
	err := workflow.ExecuteActivity(attempt(ctx, d.in.Event.Tenant, d.turnSummary()), lane.Attempt, turn).Get(ctx, &r)
	if err != nil { // deleted or cancelled: everything else is retried without end
		d.report.Status, d.report.Reason = webhook.Cancelled, reasonOf(err)
		return
	}
	if len(d.in.Schedule) == 0 {
		d.in.Schedule = r.Schedule
	}
	if r.Attempt == nil {
		d.deferred(*r.Deferral)
		return
	}
	d.report.Attempts = append(d.report.Attempts, *r.Attempt)
	d.deferrals = 0
	d.decide(*r.Attempt)
}

func (d *delivery) decide(a webhook.Attempt) {
	next := webhook.Decide(d.in.Schedule, a, d.seed())
	d.report.Status, d.next, d.report.Reason = next.Status, next.Wait, ""
	if next.Status == webhook.Exhausted {
		d.report.Reason = "the schedule is spent"
	}
}

func (d *delivery) deferred(why webhook.Deferral) {
	d.deferrals++
	d.report.Reason = why.Error()
	d.next = webhook.DeferWait(why, d.deferrals, d.seed())
	if why.Reason == webhook.DeferSchedule {
		d.next = webhook.Jitter(d.in.Schedule[0], d.seed(), 0)
	}
}

func (d *delivery) finish(ctx workflow.Context) (DeliveryResult, error) {
	d.show(ctx)
	r := DeliveryResult{Status: d.report.Status, Reason: d.report.Reason, Attempts: len(d.report.Attempts)}
	return r, ctx.Err()
}

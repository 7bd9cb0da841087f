package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// DeliveryResult is how a Delivery ended. It stands in the Event's history once per troubled
// delivery, so it is small; the attempts are in the answer to QueryReport.
type DeliveryResult struct {
	Status   webhook.DeliveryStatus `json:"status"`
	Reason   string                 `json:"reason,omitempty"`
	Attempts int                    `json:"attempts"` // how many were made
}

// Delivery brings one event to one endpoint that did not take it at once: wait, attempt, decide,
// again, until it is delivered, its schedule is spent, or an operator ends it.
func Delivery(ctx workflow.Context, in DeliveryInput) (DeliveryResult, error) {
	d := newDelivery(in)
	if err := d.handle(ctx); err != nil {
		return DeliveryResult{}, err
	}
	if d.parkedUntil.IsZero() {
		d.parkedUntil = workflow.GetInfo(ctx).WorkflowStartTime.Add(webhook.ParkedTimeout).UTC()
	}
	for !d.report.Status.Ended() {
		if suggested(ctx) {
			yield(ctx) // a probe is answered after the turn that made it
			if workflow.AllHandlersFinished(ctx) {
				return DeliveryResult{}, workflow.NewContinueAsNewError(ctx, Delivery, d.carry())
			}
		}
		d.wait(ctx)
		d.turn(ctx)
	}
	return d.finish(ctx)
}

type delivery struct {
	in          DeliveryInput
	report      webhook.DeliveryReport
	next        time.Duration // the wait before the next turn
	deferrals   int           // in a row
	outcome     string        // as the search attribute has it
	parkedUntil time.Time     // it ends then, unless a person lets it go before
	probing     bool          // the turn under way is a probe
	ignored     string        // why the last signal was that made no sense, for a person
	inbox       deliveryInbox
}

// keptAttempts bounds the attempts that a delivery reports, with up to webhook.MaxResponseBody of
// each answer. A schedule has 30 at most, but probes and retry-now add to them without end, and a
// report or the input of a new run must fit into Temporal's 2 MiB.
const keptAttempts = 100

func newDelivery(in DeliveryInput) *delivery {
	d := &delivery{in: in, outcome: in.outcome(), report: webhook.DeliveryReport{
		EndpointID: in.EndpointID,
		Status:     in.status(),
		Attempts:   in.Attempts,
		WorkflowID: DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID),
	}}
	switch {
	case in.Carried != nil:
		c := in.Carried
		d.report.Reason, d.next, d.deferrals = c.Reason, c.Next, c.Deferrals
		d.parkedUntil, d.ignored, d.inbox = c.ParkedUntil, c.Ignored, c.Inbox
	case in.Deferral != nil:
		d.deferred(*in.Deferral)
	case len(in.Attempts) > 0:
		d.decide(in.Attempts[len(in.Attempts)-1])
	}
	return d
}

// status is where a delivery stands when its workflow starts.
func (in DeliveryInput) status() webhook.DeliveryStatus {
	switch {
	case in.Carried != nil:
		return in.Carried.Status
	case in.Deferral != nil && in.Deferral.Reason == webhook.DeferState:
		return webhook.Held
	case len(in.Attempts) > 0:
		return webhook.Retrying
	}
	return webhook.Pending
}

// outcome is the search attribute it starts with.
func (in DeliveryInput) outcome() string { return outcome(in.status(), in.Parked) }

// outcome tells a parked delivery from a held one: an Approval releases the latter alone.
func outcome(s webhook.DeliveryStatus, parked string) string {
	if s == webhook.Held && parked != "" {
		return string(webhook.ApprovalAwaiting)
	}
	return string(s)
}

// carry is the input of the run that continues this one.
func (d *delivery) carry() DeliveryInput {
	in := d.in
	in.Attempts, in.Deferral = d.report.Attempts, nil
	in.Carried = &Carried{
		Status: d.report.Status, Reason: d.report.Reason, Next: d.next, Deferrals: d.deferrals,
		ParkedUntil: d.parkedUntil, Ignored: d.ignored, Inbox: d.inbox,
	}
	return in
}

// made is how many attempts were made, also those that the report has no more.
func (d *delivery) made() int {
	n := len(d.report.Attempts)
	if n == 0 {
		return 0
	}
	return max(n, d.report.Attempts[n-1].Number)
}

// nextNumber is that of the next attempt, from 1.
func (d *delivery) nextNumber() int { return d.made() + 1 }

// wait lets the time to the next turn pass, unless the inbox gets something. The turn after it
// finds out that the wait was cancelled.
func (d *delivery) wait(ctx workflow.Context) {
	d.show(ctx)
	if d.next <= 0 {
		return
	}
	if d.in.Parked == "" { // a parked one only rechecks its endpoint then
		at := workflow.Now(ctx).Add(d.next).UTC()
		d.report.NextAttemptAt = &at
	}
	d.show(ctx)
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(ctx, d.next, workflow.TimerOptions{Summary: d.waitSummary()})
	_ = workflow.Await(ctx, func() bool { return timer.IsReady() || !d.inbox.empty() })
	d.report.NextAttemptAt = nil
}

func (d *delivery) decide(a webhook.Attempt) {
	next := webhook.Decide(d.in.Schedule, a, d.in.seed())
	d.report.Status, d.next, d.report.Reason = next.Status, next.Wait, next.Reason
}

// deferred takes in that a turn passed without an attempt.
func (d *delivery) deferred(why webhook.Deferral) {
	d.deferrals++
	d.report.Reason = why.Error()
	d.next = 0 // the turn itself waits, as an activity that Temporal retries: so a recheck can end the wait
	switch why.Reason {
	case webhook.DeferSchedule:
		d.next = webhook.Jitter(d.in.Schedule[0], d.in.seed(), 0)
	case webhook.DeferState:
		if d.report.Status != webhook.Held {
			d.deferrals = 1 // a release at that moment may have missed it, whatever deferred it before
		}
		d.hold(why)
	case webhook.DeferDisabled:
		d.report.Status, d.report.Reason = webhook.Rejected, why.Detail
	case webhook.DeferBreaker, webhook.DeferConcurrency, webhook.DeferLimit, webhook.DeferInternal, webhook.DeferStopping:
	}
}

// hold waits for a decision on the endpoint, and rechecks the endpoint now and then in case the
// release gets lost.
func (d *delivery) hold(why webhook.Deferral) {
	d.report.Status, d.report.Reason = webhook.Held, why.Detail
	d.next = webhook.HeldWait(why, max(d.deferrals, 1), d.in.seed())
}

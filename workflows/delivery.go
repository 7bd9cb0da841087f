package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
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
// attempt, decide, again, until it is delivered, its schedule is spent, or somebody ends it.
func Delivery(ctx workflow.Context, in DeliveryInput) (DeliveryResult, error) {
	d := newDelivery(in)
	if err := d.handle(ctx); err != nil {
		return DeliveryResult{}, err
	}
	d.parkedUntil = workflow.GetInfo(ctx).WorkflowStartTime.Add(webhook.ParkedTimeout).UTC()
	for !d.report.Status.Ended() {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() && workflow.AllHandlersFinished(ctx) {
			return DeliveryResult{}, workflow.NewContinueAsNewError(ctx, Delivery, d.carry())
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
	parkedUntil time.Time     // when it ends if nobody lets it go
	orders      orders
	ignored     string // the last signal that made no sense, for a person
}

func newDelivery(in DeliveryInput) *delivery {
	d := &delivery{in: in, outcome: in.outcome(), report: webhook.DeliveryReport{
		EndpointID: in.EndpointID,
		Status:     in.status(),
		Attempts:   in.Attempts,
		WorkflowID: DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID),
	}}
	switch {
	case in.Carried != nil:
		d.report.Reason, d.next, d.deferrals = in.Carried.Reason, in.Carried.Next, in.Carried.Deferrals
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

// outcome tells a delivery that a person must let go from those that wait for their endpoint: an
// Approval lets go of the latter alone.
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
	in.Carried = &Carried{Status: d.report.Status, Reason: d.report.Reason, Next: d.next, Deferrals: d.deferrals}
	return in
}

// wait lets the time to the next turn pass, unless an operator cuts it short. A cancelled wait is
// found out by the turn after it.
func (d *delivery) wait(ctx workflow.Context) {
	d.show(ctx)
	if d.next <= 0 {
		return
	}
	if d.in.Parked == "" { // it only looks at its endpoint then
		at := workflow.Now(ctx).Add(d.next).UTC()
		d.report.NextAttemptAt = &at
	}
	d.show(ctx)
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(ctx, d.next, workflow.TimerOptions{Summary: d.waitSummary()})
	_ = workflow.Await(ctx, func() bool { return timer.IsReady() || d.orders.pending() })
	d.report.NextAttemptAt = nil
}

// turn gives the delivery its chance to make the next attempt. While Temporal defers it, an order
// of an operator ends the deferral; an attempt under way is waited for.
func (d *delivery) turn(ctx workflow.Context) {
	if by := d.orders.cancel; by != nil {
		d.report.Status, d.report.Reason = webhook.Cancelled, "cancelled"+words(*by)
		return
	}
	if err := ctx.Err(); err != nil {
		d.unmade(ctx, err)
		return
	}
	if d.unanswered(ctx) {
		return
	}
	turn := d.nextTurn()
	d.show(ctx)
	var r activities.TurnResult
	err := d.attempt(ctx, turn).Get(ctx, &r)
	d.orders.probing = false
	if err != nil {
		d.unmade(ctx, err)
		return
	}
	d.made(r)
	if d.report.Status != webhook.Held {
		d.orders.release = false // it went
	}
	if a := r.Attempt; turn.Probe && a != nil && a.Class() == webhook.Fails && d.report.Status != webhook.Rejected {
		d.hold(webhook.Deferral{Detail: "the probe failed: " + webhook.AnswerOf(*a, "").String()})
	}
}

// unanswered ends a delivery that nobody has let go in time.
func (d *delivery) unanswered(ctx workflow.Context) bool {
	if d.in.Parked == "" || d.orders.pending() ||
		workflow.Now(ctx).Before(d.parkedUntil) {
		return false
	}
	d.report.Status, d.report.Reason = webhook.Rejected, "nobody let it go in time: "+d.in.Parked
	return true
}

// nextTurn takes the orders given with it.
func (d *delivery) nextTurn() activities.Turn {
	if d.orders.retryNow {
		d.in.Parked = ""
	}
	turn := activities.Turn{
		Event: d.in.Event, EventRunID: d.in.EventRunID, EndpointID: d.in.EndpointID,
		Number: len(d.report.Attempts) + 1,
		Held:   d.report.Status == webhook.Held && !d.orders.pending(),
		Probe:  d.orders.probe,
		Parked: d.in.Parked,
	}
	if d.report.Status == webhook.Held && d.in.Parked == "" && d.orders.pending() {
		d.report.Status = webhook.Retrying // nobody need let it go any more
		d.deferrals = 0                    // it may be held anew, and miss a release at that moment
	}
	d.orders = orders{probing: d.orders.probe}
	return turn
}

// attempt asks for the next attempt and returns once it is made, or ended by an operator.
func (d *delivery) attempt(ctx workflow.Context, turn activities.Turn) workflow.Future {
	turning, stop := workflow.WithCancel(ctx)
	made := workflow.ExecuteActivity(attempt(turning, turn, d.turnSummary()), lane.Attempt, turn)
	asked := workflow.GetInfo(ctx).GetCurrentHistoryLength()
	_ = workflow.Await(ctx, func() bool { return made.IsReady() || d.orders.pending() })
	if made.IsReady() {
		return made
	}
	cancelLater(ctx, asked)
	stop()
	return made
}

// cancelLater waits until an activity asked for at this length of the history may be cancelled:
// cancelled in the very task that asks for it, an activity is never heard of again.
func cancelLater(ctx workflow.Context, asked int) {
	if workflow.GetInfo(ctx).GetCurrentHistoryLength() == asked {
		_ = workflow.Sleep(ctx, time.Second)
	}
}

// made takes in what came of a turn.
func (d *delivery) made(r activities.TurnResult) {
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

// unmade takes in that there was no turn: an operator ended its deferral, and the next turn follows
// at once, or there is nobody to deliver to. Everything else was retried without end.
func (d *delivery) unmade(ctx workflow.Context, err error) {
	if temporal.IsCanceledError(err) && ctx.Err() == nil && d.orders.pending() {
		d.next = 0
		return
	}
	d.report.Status, d.report.Reason = webhook.Cancelled, reasonOf(err)
}

func (d *delivery) decide(a webhook.Attempt) {
	next := webhook.Decide(d.in.Schedule, a, d.in.seed())
	d.report.Status, d.next, d.report.Reason = next.Status, next.Wait, next.Reason
}

func (d *delivery) deferred(why webhook.Deferral) {
	d.deferrals++
	d.report.Reason = why.Error()
	d.next = 0 // the turn itself waits, as an activity that Temporal retries: so it can be told to go now
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

// hold waits for a person's word on the endpoint, and looks for itself in case the word gets lost.
func (d *delivery) hold(why webhook.Deferral) {
	d.report.Status, d.report.Reason = webhook.Held, why.Detail
	d.next = webhook.HeldWait(why, max(d.deferrals, 1), d.in.seed())
}

func (d *delivery) finish(ctx workflow.Context) (DeliveryResult, error) {
	d.orders = orders{} // nobody waits for what will not be
	d.show(ctx)
	d.tellExhausted(ctx)
	countEnd(ctx, d.report.Status)
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	r := DeliveryResult{Status: d.report.Status, Reason: d.report.Reason, Attempts: len(d.report.Attempts)}
	return r, ctx.Err()
}

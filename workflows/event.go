package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// lane only lends its method names: workflows refer to activities, they never call them.
var lane *activities.Delivery

// Event makes the first attempt to every endpoint at once. A delivery that succeeds is a line in
// this history; each other one gets a Delivery of its own, and Event ends when all have ended. It
// stays open that long because its history holds the data they send.
func Event(ctx workflow.Context, in EventInput, data converter.RawValue) (EventReport, error) {
	e := newEvent(in, data)
	if err := workflow.SetQueryHandler(ctx, QueryReport, e.answer); err != nil {
		return EventReport{}, err
	}
	places := workflow.NewSemaphore(ctx, FastLane)
	all := workflow.NewWaitGroup(ctx)
	for i := range e.report.Deliveries {
		all.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer all.Done()
			e.deliver(ctx, &e.report.Deliveries[i], places)
		})
	}
	all.Wait(ctx)
	return e.finish(ctx)
}

type event struct {
	in     EventInput
	data   converter.RawValue
	report EventReport

	left    int // deliveries that have not ended
	changes int // not shown yet
}

func newEvent(in EventInput, data converter.RawValue) *event {
	e := &event{in: in, data: data, left: len(in.EndpointIDs), report: EventReport{Status: webhook.EventDelivering}}
	for _, id := range in.EndpointIDs {
		e.report.Deliveries = append(e.report.Deliveries, webhook.DeliveryReport{EndpointID: id, Status: webhook.Pending})
	}
	return e
}

func (e *event) answer() (EventReport, error) { return e.report, nil }

// deliver brings one delivery to its end: in the fast lane if all goes well, else by a Delivery.
func (e *event) deliver(ctx workflow.Context, report *webhook.DeliveryReport, places workflow.Semaphore) {
	next := DeliveryInput{
		Event:      e.in.Event,
		EventRunID: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		EndpointID: report.EndpointID,
		AcceptedAt: workflow.GetInfo(ctx).WorkflowStartTime,
	}
	next.park()
	if next.Parked != "" || !e.fastLane(ctx, report, &next, places) {
		e.carryOn(ctx, report, next)
	}
	e.left--
	e.show(ctx)
}

// fastLane says whether the delivery ended here. A turn that is deferred for a moment waits that out and has
// another: a timer costs a fraction of a Delivery.
func (e *event) fastLane(ctx workflow.Context, report *webhook.DeliveryReport, next *DeliveryInput, places workflow.Semaphore) (ended bool) {
	for turn := 1; ; turn++ {
		if err := places.Acquire(ctx, 1); err != nil { // cancelled while it waited for a place
			report.Status, report.Reason = webhook.Cancelled, reasonOf(err)
			return true
		}
		ended = e.firstAttempt(ctx, report, next)
		places.Release(1)
		if ended || turn == fastTurns || !e.wait(ctx, report, next) {
			return ended
		}
	}
}

// wait waits out a short deferral, or says that it is none.
func (e *event) wait(ctx workflow.Context, report *webhook.DeliveryReport, next *DeliveryInput) bool {
	wait, short := next.shortWait(workflow.Now(ctx))
	if !short {
		return false
	}
	at := workflow.Now(ctx).Add(wait).UTC()
	report.Reason, report.NextAttemptAt = next.Deferral.Detail, &at
	e.show(ctx)
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "wait for attempt 1" + because(report.Reason)})
	_ = timer.Get(ctx, nil) // cancelled, the next turn finds out
	report.Reason, report.NextAttemptAt, next.Deferral = "", nil, nil
	return true
}

// firstAttempt says whether the delivery ended with its first turn. If it did not, next has
// learned what a Delivery must know.
func (e *event) firstAttempt(ctx workflow.Context, report *webhook.DeliveryReport, next *DeliveryInput) bool {
	turn := activities.Turn{Event: next.Event, EventRunID: next.EventRunID, EndpointID: next.EndpointID, Number: 1}
	turn.Context = e.in.Context
	if len(e.in.EndpointIDs) > FastLane {
		turn.KeepResponse = wideResponse
	}
	var r activities.TurnResult
	err := workflow.ExecuteLocalActivity(firstAttempt(ctx, next.EndpointID), lane.FirstAttempt, turn, e.data).Get(ctx, &r)
	switch {
	case isGone(err) || temporal.IsCanceledError(err):
		report.Status, report.Reason = webhook.Cancelled, reasonOf(err)
	case err != nil: // ours, not the endpoint's: the durable lane has time
		next.Deferral = &webhook.Deferral{Reason: webhook.DeferInternal, Detail: reasonOf(err)}
	case r.Attempt == nil:
		next.Deferral, next.Schedule = r.Deferral, r.Schedule
	case r.Attempt.Succeeded():
		report.Status, report.Attempts = webhook.Delivered, []webhook.Attempt{*r.Attempt}
	default:
		next.Attempts, next.Schedule = []webhook.Attempt{*r.Attempt}, r.Schedule
	}
	return report.Status.Ended()
}

// carryOn hands the delivery to a workflow of its own and waits for its end.
func (e *event) carryOn(ctx workflow.Context, report *webhook.DeliveryReport, in DeliveryInput) {
	report.Status = in.status()
	if in.Deferral != nil {
		report.Reason = in.Deferral.Detail
	}
	report.WorkflowID = DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID)
	e.show(ctx)
	var r DeliveryResult
	if err := workflow.ExecuteChildWorkflow(child(ctx, in), Delivery, in).Get(ctx, &r); err != nil {
		r = DeliveryResult{Status: webhook.Cancelled, Reason: reasonOf(err)}
	}
	report.Status, report.Reason = r.Status, r.Reason
}

// show brings the details in the UI up to date: each time for a few deliveries, and for many when a good part of
// them has changed, for they are rendered whole.
func (e *event) show(ctx workflow.Context) {
	e.changes++
	if e.left == 0 || e.changes*16 < len(e.report.Deliveries) { // finish shows the end
		return
	}
	e.changes = 0
	workflow.SetCurrentDetails(ctx, e.details())
}

func (e *event) finish(ctx workflow.Context) (EventReport, error) {
	e.report.Status = webhook.EventDelivered
	for _, d := range e.report.Deliveries {
		if d.Status != webhook.Delivered {
			e.report.Status = webhook.EventFailed
		}
	}
	if e.in.wantedByNone() {
		e.report.Status = webhook.EventUnmatched
	}
	workflow.SetCurrentDetails(ctx, e.details())
	err := workflow.UpsertTypedSearchAttributes(ctx, Outcome.ValueSet(string(e.report.Status)))
	if err != nil {
		return EventReport{}, err
	}
	return e.report, ctx.Err() // a cancelled event ends as cancelled, its report stays readable
}

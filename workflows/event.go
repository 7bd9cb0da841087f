package workflows

import (
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// Event makes the first attempt to every endpoint at once. A delivery that succeeds is a line in
// this history; each other one gets a Delivery of its own, and Event ends when all have ended. It
// stays open that long because its history holds the data they send.
func Event(ctx workflow.Context, in EventInput, data converter.RawValue) (EventReport, error) {
	e := newEvent(in, data)
	if err := workflow.SetQueryHandler(ctx, QueryReport, e.answer); err != nil {
		return EventReport{}, err
	}
	lane := workflow.NewSemaphore(ctx, FastLane)
	all := workflow.NewWaitGroup(ctx)
	for i := range in.EndpointIDs { // their deliveries come first in the report
		all.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer all.Done()
			e.deliver(ctx, &e.report.Deliveries[i], lane)
		})
	}
	for range in.Disabled {
		countEnd(ctx, webhook.Rejected)
	}
	all.Wait(ctx)
	return e.finish(ctx)
}

type event struct {
	in     EventInput
	data   converter.RawValue
	report EventReport

	open       int // deliveries that have not ended
	attempting int // deliveries whose attempt is under way here
	changes    int // not shown yet
}

func newEvent(in EventInput, data converter.RawValue) *event {
	return &event{in: in, data: data, open: len(in.EndpointIDs), report: EventReport{
		Status: webhook.EventDelivering, Deliveries: in.Deliveries(),
	}}
}

func (e *event) answer() (EventReport, error) { return e.report, nil }

// deliver brings one delivery to its end: in the fast lane if all goes well, else by a Delivery.
func (e *event) deliver(ctx workflow.Context, report *webhook.DeliveryReport, lane workflow.Semaphore) {
	next := DeliveryInput{
		Event:      e.in.Event,
		EventRunID: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		EndpointID: report.EndpointID,
		AcceptedAt: workflow.GetInfo(ctx).WorkflowStartTime,
	}
	next.park()
	if next.Parked == "" && e.fastLane(ctx, report, &next, lane) {
		countEnd(ctx, report.Status)
	} else {
		e.handOver(ctx, report, next)
	}
	e.open--
	e.show(ctx)
}

// fastLane says whether the delivery ended here. What waits for a moment only, a deferral or an
// early retry, does so here: a timer and another local activity cost a fraction of a Delivery.
func (e *event) fastLane(ctx workflow.Context, report *webhook.DeliveryReport, next *DeliveryInput, lane workflow.Semaphore) (ended bool) {
	for deferrals := 0; ; {
		if err := lane.Acquire(ctx, 1); err != nil { // cancelled before its turn
			report.Status, report.Reason = webhook.Cancelled, reasonOf(err)
			return true
		}
		ended = e.attempt(ctx, report, next)
		lane.Release(1)
		if next.Deferral != nil {
			deferrals++
		}
		if ended || deferrals > fastDeferrals || len(next.Attempts) >= e.fastAttempts() || !e.wait(ctx, report, next) {
			return ended
		}
	}
}

// fastAttempts bounds what each delivery adds to this history, and to the result, which has all
// attempts in it.
func (e *event) fastAttempts() int {
	if len(e.in.EndpointIDs) > FastLane {
		return 1
	}
	return fastAttempts
}

// wait waits for the next turn if it comes soon, or says that it does not.
func (e *event) wait(ctx workflow.Context, report *webhook.DeliveryReport, next *DeliveryInput) bool {
	wait, short := next.shortWait(workflow.Now(ctx))
	if !short {
		return false
	}
	at := workflow.Now(ctx).Add(wait).UTC()
	report.Status, report.NextAttemptAt = next.status(), &at
	if next.Deferral != nil {
		report.Reason = next.Deferral.Detail
	}
	e.show(ctx)
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{
		Summary: fmt.Sprintf("wait for attempt %d → %s", next.number(), next.EndpointID) + because(report.Reason),
	})
	_ = timer.Get(ctx, nil) // cancelled, the next turn finds out
	report.Reason, report.NextAttemptAt, next.Deferral = "", nil, nil
	return true
}

// attempt says whether the delivery ended with this turn. If it did not, next has learned what a
// Delivery must know.
func (e *event) attempt(ctx workflow.Context, report *webhook.DeliveryReport, next *DeliveryInput) bool {
	turn := activities.Turn{
		Event: next.Event, EventRunID: next.EventRunID, EndpointID: next.EndpointID,
		Number: next.number(), Context: e.in.Context, AcceptedAt: next.AcceptedAt,
	}
	if len(e.in.EndpointIDs) > FastLane {
		turn.KeepResponse = wideResponse
	}
	var r activities.TurnResult
	e.attempting++
	local := workflow.WithLocalActivityOptions(ctx, fastAttemptOptions(turn))
	err := workflow.ExecuteLocalActivity(local, deliveryActivities.FastAttempt, turn, e.data).Get(ctx, &r)
	e.attempting--
	if r.Attempt != nil {
		next.Attempts = append(next.Attempts, *r.Attempt)
	}
	report.Attempts = next.Attempts
	if len(r.Schedule) > 0 {
		next.Schedule = r.Schedule
	}
	switch {
	case isGone(err) || temporal.IsCanceledError(err):
		report.Status, report.Reason = webhook.Cancelled, reasonOf(err)
	case err != nil: // ours, not the endpoint's: the durable lane has time
		next.Deferral = &webhook.Deferral{Reason: webhook.DeferInternal, Detail: reasonOf(err)}
	case r.Attempt == nil:
		next.Deferral = r.Deferral
	case r.Attempt.Succeeded():
		report.Status = webhook.Delivered
	}
	return report.Status.Ended()
}

// handOver hands the delivery to a workflow of its own and waits for its end.
func (e *event) handOver(ctx workflow.Context, report *webhook.DeliveryReport, in DeliveryInput) {
	report.Status, report.Attempts = in.status(), nil // its own report has them
	if in.Deferral != nil {
		report.Reason = in.Deferral.Detail
	}
	report.WorkflowID = DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID)
	e.show(ctx)
	var r DeliveryResult
	child := workflow.WithChildOptions(ctx, deliveryOptions(in))
	if err := workflow.ExecuteChildWorkflow(child, Delivery, in).Get(ctx, &r); err != nil {
		r = DeliveryResult{Status: webhook.Cancelled, Reason: reasonOf(err)}
		if !temporal.IsCanceledError(err) { // it was terminated, and could not count itself
			countEnd(ctx, r.Status)
		}
	}
	report.Status, report.Reason = r.Status, r.Reason
}

// show brings the details in the UI up to date, which are rendered whole: once in a workflow task,
// and where there are many deliveries only after a good part of them has changed. As long as an
// attempt is under way here, the workflow task is open and people read what was shown before it.
func (e *event) show(ctx workflow.Context) {
	e.changes++
	if e.attempting > 0 || e.open == 0 || e.changes*16 < len(e.report.Deliveries) { // finish shows the end
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
	if e.in.Unmatched() {
		e.report.Status = webhook.EventUnmatched
	}
	workflow.SetCurrentDetails(ctx, e.details())
	err := workflow.UpsertTypedSearchAttributes(ctx, Outcome.ValueSet(string(e.report.Status)))
	if err != nil {
		return EventReport{}, err
	}
	e.log(ctx)
	return e.report, ctx.Err() // a cancelled event ends as cancelled, its report stays readable
}

// LogEventEnded is the message in the log when all deliveries of an event have ended.
const LogEventEnded = "event ended"

// log says what became of the event; a replay does not.
func (e *event) log(ctx workflow.Context) {
	delivered := 0
	for _, d := range e.report.Deliveries {
		if d.Status == webhook.Delivered {
			delivered++
		}
	}
	workflow.GetLogger(ctx).Info(LogEventEnded,
		"tenant", e.in.Event.Tenant, "event", e.in.Event.ID, "type", e.in.Event.Type, "status", string(e.report.Status),
		"endpoints", int64(len(e.report.Deliveries)), "delivered", int64(delivered),
		"duration_ms", workflow.Now(ctx).Sub(workflow.GetInfo(ctx).WorkflowStartTime).Milliseconds())
}

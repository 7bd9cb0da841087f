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
}

func newEvent(in EventInput, data converter.RawValue) *event {
	e := &event{in: in, data: data, report: EventReport{Status: webhook.EventDelivering}}
	for _, id := range in.EndpointIDs {
		e.report.Deliveries = append(e.report.Deliveries, webhook.DeliveryReport{EndpointID: id, Status: webhook.Pending})
	}
	return e
}

func (e *event) answer() (EventReport, error) { return e.report, nil }

// deliver brings one delivery to its end: in the fast lane if all goes well, else by a Delivery.
func (e *event) deliver(ctx workflow.Context, report *webhook.DeliveryReport, places workflow.Semaphore) {
	if err := places.Acquire(ctx, 1); err != nil { // cancelled while it waited for a place
		report.Status, report.Reason = webhook.Cancelled, reasonOf(err)
		return
	}
	next := DeliveryInput{
		Event:      e.in.Event,
		EventRunID: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		EndpointID: report.EndpointID,
	}
	if next.park(); next.Parked != "" {
		places.Release(1)
		e.carryOn(ctx, report, next)
		return
	}
	ended := e.firstAttempt(ctx, report, &next)
	places.Release(1)
	if !ended {
		e.carryOn(ctx, report, next)
	}
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
	workflow.SetCurrentDetails(ctx, e.details())
	return report.Status.Ended()
}

// carryOn hands the delivery to a workflow of its own and waits for its end.
func (e *event) carryOn(ctx workflow.Context, report *webhook.DeliveryReport, in DeliveryInput) {
	report.Status = in.status()
	if in.Deferral != nil {
		report.Reason = in.Deferral.Detail
	}
	report.WorkflowID = DeliveryWorkflowID(in.Event.Tenant, in.Event.ID, in.EndpointID)
	workflow.SetCurrentDetails(ctx, e.details())
	var r DeliveryResult
	if err := workflow.ExecuteChildWorkflow(child(ctx, in), Delivery, in).Get(ctx, &r); err != nil {
		r = DeliveryResult{Status: webhook.Cancelled, Reason: reasonOf(err)}
	}
	report.Status, report.Reason = r.Status, r.Reason
	workflow.SetCurrentDetails(ctx, e.details())
}

func (e *event) finish(ctx workflow.Context) (EventReport, error) {
	e.report.Status = webhook.EventDelivered
	for _, d := range e.report.Deliveries {
		if d.Status != webhook.Delivered {
			e.report.Status = webhook.EventFailed
		}
	}
	workflow.SetCurrentDetails(ctx, e.details())
	err := workflow.UpsertTypedSearchAttributes(ctx, Outcome.ValueSet(string(e.report.Status)))
	if err != nil {
		return EventReport{}, err
	}
	return e.report, ctx.Err() // a cancelled event ends as cancelled, its report stays readable
}

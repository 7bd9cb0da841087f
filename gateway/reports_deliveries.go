package gateway

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// atOnce is how many deliveries of one event are asked side by side.
const atOnce = 16

// lookInto replaces each report of a delivery that has a workflow of its own by that workflow's. Of
// an event that has ended, or that could not say, any delivery may have one: it was redelivered, or
// carried on. The first failure stops the rest: half an answer would look like a whole one.
func (g *Gateway) lookInto(ctx context.Context, e *told, known bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		all    sync.WaitGroup
		once   sync.Once
		failed error
	)
	places := make(chan struct{}, atOnce)
	for i := range e.report.Deliveries {
		report := &e.report.Deliveries[i]
		if report.WorkflowID == "" && known && !e.closed() && !slices.Contains(e.redelivered, report.EndpointID) {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := g.deliveryReport(ctx, e, report); err != nil {
				once.Do(func() { failed = err })
				cancel()
			}
		})
	}
	all.Wait()
	e.dropUnstarted()
	if e.closed() && len(e.report.Deliveries) > 0 {
		e.report.Status = statusOf(e.report.Deliveries)
	}
	return failed
}

// addRedelivered adds the deliveries to endpoints that the event was not accepted for.
func (g *Gateway) addRedelivered(ctx context.Context, e *told) (err error) {
	if e.fresh {
		return nil
	}
	e.redelivered, err = g.registry.Redelivered(ctx, e.in.Event.Tenant, e.in.Event.ID)
	if err != nil {
		return registryErr(err)
	}
	e.accepted = len(e.report.Deliveries)
	for _, id := range e.redelivered {
		if !slices.ContainsFunc(e.report.Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == id }) {
			e.report.Deliveries = append(e.report.Deliveries, webhook.DeliveryReport{EndpointID: id, Status: webhook.Pending})
		}
	}
	return nil
}

// dropUnstarted takes away what addRedelivered added and nobody has started: the event was not redelivered there
// after all, or Temporal has forgotten it.
func (e *told) dropUnstarted() {
	if e.fresh {
		return
	}
	added := slices.DeleteFunc(slices.Clone(e.report.Deliveries[e.accepted:]), func(d webhook.DeliveryReport) bool { return d.WorkflowID == "" })
	e.report.Deliveries = append(e.report.Deliveries[:e.accepted], added...)
}

// statusOf sums up the deliveries of an event that has ended: a redelivery may have changed what it
// had ended with.
func statusOf(all []webhook.DeliveryReport) webhook.EventStatus {
	status := webhook.EventDelivered
	for _, d := range all {
		if !d.Status.Ended() {
			return webhook.EventDelivering
		}
		if d.Status != webhook.Delivered {
			status = webhook.EventFailed
		}
	}
	return status
}

// deliveryReport asks a delivery's workflow, open or closed: its result is only a summary.
func (g *Gateway) deliveryReport(ctx context.Context, e *told, report *webhook.DeliveryReport) error {
	id := cmp.Or(report.WorkflowID, workflows.DeliveryWorkflowID(e.in.Event.Tenant, e.in.Event.ID, report.EndpointID))
	x, err := g.describe(ctx, id)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		neverBegan(e, report)
		return nil
	case err != nil:
		return err
	case x.fresh:
		justBegan(x, report)
		return nil
	}
	var own webhook.DeliveryReport
	err = g.ask(ctx, x, &own)
	if err == nil {
		*report = own
		if own.Status.Ended() || !x.closed() {
			x.showWait(report, g.converter)
			return nil
		}
	}
	if x.abandoned() == "" {
		return err
	}
	if err != nil {
		*report = webhook.DeliveryReport{EndpointID: report.EndpointID, WorkflowID: x.id}
	}
	report.Status, report.Reason, report.NextAttemptAt = webhook.Cancelled, x.abandonedSo(err), nil
	return nil
}

// neverBegan leaves the event's own line as it is, for its workflow was not started yet, or is
// forgotten already; but nobody is left to start it if the event has ended.
func neverBegan(e *told, report *webhook.DeliveryReport) {
	if e.closed() && !report.Status.Ended() {
		report.Status, report.Reason = webhook.Cancelled, e.abandoned()
	}
}

// justBegan leaves the event's own line as it is if its workflow carries it on. A delivery that had
// ended begins again.
func justBegan(x execution, report *webhook.DeliveryReport) {
	if report.Status.Ended() {
		*report = webhook.DeliveryReport{EndpointID: report.EndpointID, Status: webhook.Pending}
	}
	report.WorkflowID = x.id
}

// deferredFailure is the type of the error by which an activity defers its turn: the value of
// activities.TypeDeferred, which histories hold.
const deferredFailure = "Deferred"

// waiting finds an activity that Temporal will repeat by itself: a deferral, of which the workflow
// knows nothing.
func waiting(all []*workflowpb.PendingActivityInfo) *workflowpb.PendingActivityInfo {
	for _, a := range all {
		if a.GetState() == enums.PENDING_ACTIVITY_STATE_SCHEDULED && a.GetLastFailure() != nil {
			return a
		}
	}
	return nil
}

// showWait adds what a delivery waits for, if Temporal does the waiting. The words of a failure of
// ours are for the log and the Temporal UI only.
func (x execution) showWait(report *webhook.DeliveryReport, decrypt converter.DataConverter) {
	if x.waits == nil || report.Status.Ended() {
		return
	}
	report.Reason = (&webhook.Deferral{Reason: webhook.DeferInternal}).Error()
	if failure := x.waits.GetLastFailure(); failure.GetApplicationFailureInfo().GetType() == deferredFailure {
		converter.DecodeCommonFailureAttributes(decrypt, failure)
		report.Reason = failure.GetMessage()
	}
	if next := x.waits.GetNextAttemptScheduleTime(); next != nil {
		at := next.AsTime()
		report.NextAttemptAt = &at
	}
}

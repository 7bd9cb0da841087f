package orchestrator

import (
	"cmp"
	"context"
	"slices"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// atOnce is how many deliveries of one event are asked side by side.
const atOnce = 16

// loadDeliveries replaces each report of a delivery that has a workflow of its own by that
// workflow's. Of an event that has ended, or that could not say, any delivery may have one: it was
// redelivered, or carried on. The first failure stops the rest: half an answer would look like a
// whole one.
func (e *Events) loadDeliveries(ctx context.Context, s *eventState, known bool) error {
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(atOnce)
	for i := range s.report.Deliveries {
		report := &s.report.Deliveries[i]
		if report.WorkflowID == "" && known && !s.over() && !slices.Contains(s.redelivered, report.EndpointID) {
			continue
		}
		asking.Go(func() error { return e.loadDelivery(ctx, s, report) })
	}
	err := asking.Wait()
	s.dropUnstarted()
	if s.over() && len(s.report.Deliveries) > 0 {
		s.report.Status = webhook.EventStatusOf(s.report.Deliveries) // a redelivery may have changed what it had ended with
	}
	return err
}

// addRedelivered adds the deliveries to endpoints that the event was not accepted for.
func (e *Events) addRedelivered(ctx context.Context, s *eventState) (err error) {
	if s.fresh {
		return nil
	}
	s.redelivered, err = e.cfg.Registry.Redelivered(ctx, s.in.Event.Tenant, s.in.Event.ID)
	if err != nil {
		return registryErr(err)
	}
	s.accepted = len(s.report.Deliveries)
	for _, id := range s.redelivered {
		if !slices.ContainsFunc(s.report.Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == id }) {
			s.report.Deliveries = append(s.report.Deliveries, webhook.DeliveryReport{EndpointID: id, Status: webhook.Pending})
		}
	}
	return nil
}

// dropUnstarted takes away what addRedelivered added and was never started: the event was not
// redelivered there after all, or Temporal has forgotten it.
func (s *eventState) dropUnstarted() {
	if s.fresh {
		return
	}
	added := slices.DeleteFunc(slices.Clone(s.report.Deliveries[s.accepted:]), func(d webhook.DeliveryReport) bool { return d.WorkflowID == "" })
	s.report.Deliveries = append(s.report.Deliveries[:s.accepted], added...)
}

// loadDelivery asks a delivery's workflow, open or closed: its result is only a summary.
func (e *Events) loadDelivery(ctx context.Context, s *eventState, report *webhook.DeliveryReport) error {
	id := cmp.Or(report.WorkflowID, workflows.DeliveryWorkflowID(s.in.Event.Tenant, s.in.Event.ID, report.EndpointID))
	d, err := e.describe(ctx, id, "delivery")
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		s.markNotStarted(report)
		return nil
	case err != nil:
		return err
	case d.fresh:
		d.markStarting(report)
		return nil
	}
	var own webhook.DeliveryReport
	err = e.report(ctx, d, "delivery", &own)
	if err == nil {
		*report = own
		if own.Status.Ended() || !d.over() {
			d.showWait(report, e.converter)
			return nil
		}
	}
	if d.abandoned() == "" {
		return err
	}
	if err != nil {
		*report = webhook.DeliveryReport{EndpointID: report.EndpointID, WorkflowID: d.WorkflowID}
	}
	report.Status, report.Reason, report.NextAttemptAt = webhook.Cancelled, d.closeReason(err), nil
	return nil
}

// markNotStarted leaves the event's own line of a delivery as it is: its workflow was not started
// yet, or is forgotten already. But an event that has ended starts none any more.
func (s *eventState) markNotStarted(report *webhook.DeliveryReport) {
	if s.over() && !report.Status.Ended() {
		report.Status, report.Reason = webhook.Cancelled, s.abandoned()
	}
}

// markStarting leaves the event's own line of a delivery as it is if its workflow carries it on. A
// delivery that had ended begins again.
func (d described) markStarting(report *webhook.DeliveryReport) {
	if report.Status.Ended() {
		*report = webhook.DeliveryReport{EndpointID: report.EndpointID, Status: webhook.Pending}
	}
	report.WorkflowID = d.WorkflowID
}

// deferredActivity finds an activity that Temporal will repeat by itself: a deferral, of which the
// workflow knows nothing.
func deferredActivity(all []*workflowpb.PendingActivityInfo) *workflowpb.PendingActivityInfo {
	for _, a := range all {
		if a.GetState() == enums.PENDING_ACTIVITY_STATE_SCHEDULED && a.GetLastFailure() != nil {
			return a
		}
	}
	return nil
}

// showWait adds what a delivery waits for, if Temporal does the waiting. The words of a failure of
// ours are for the log and the Temporal UI only.
func (d described) showWait(report *webhook.DeliveryReport, decrypt converter.DataConverter) {
	if d.waits == nil || report.Status.Ended() {
		return
	}
	report.Reason = (&webhook.Deferral{Reason: webhook.DeferInternal}).Error()
	if failure := d.waits.GetLastFailure(); failure.GetApplicationFailureInfo().GetType() == activities.TypeDeferred {
		converter.DecodeCommonFailureAttributes(decrypt, failure)
		report.Reason = failure.GetMessage()
	}
	if next := d.waits.GetNextAttemptScheduleTime(); next != nil {
		at := next.AsTime()
		report.NextAttemptAt = &at
	}
}

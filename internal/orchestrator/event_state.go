package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// EventState is what became of an event.
type EventState struct {
	Input             workflows.EventInput  // what it was accepted with
	Report            workflows.EventReport // its deliveries as they are now, not as the event last knew them
	WorkflowID, RunID string
	Reason            string // why its workflow ended early; empty: it did not
}

// State puts the report of an event together with those of the deliveries that have a workflow of
// their own. The error carries webhook.NotFound when there is no such event, or no more.
func (e *Events) State(ctx context.Context, tenant, id string) (EventState, error) {
	s, err := e.loadEvent(ctx, tenant, id)
	if err != nil {
		return EventState{}, fmt.Errorf("event %s: %w", id, err)
	}
	return EventState{Input: s.in, Report: s.report, WorkflowID: s.WorkflowID, RunID: s.RunID, Reason: s.abandoned()}, nil
}

// eventState is an EventState being put together.
type eventState struct {
	described

	in     workflows.EventInput
	report workflows.EventReport

	accepted    int      // how many of the deliveries it was accepted with, the first ones
	redelivered []string // to these endpoints, each perhaps
}

func (e *Events) loadEvent(ctx context.Context, tenant, id string) (s eventState, err error) {
	if s.described, err = e.describe(ctx, workflows.EventWorkflowID(tenant, id), "event"); err != nil {
		return s, err
	}
	if s.in, _, err = e.eventInput(ctx, s.WorkflowID, s.RunID); err != nil {
		return s, noSuch("event", err)
	}
	var known bool
	if s.report, known, err = e.eventReport(ctx, s.described, s.in); err != nil {
		return s, err
	}
	if err := e.addRedelivered(ctx, &s); err != nil {
		return s, err
	}
	return s, e.loadDeliveries(ctx, &s, known)
}

// eventReport is what the event says of itself. One whose worker is busy with a first attempt that
// hangs cannot say anything, and known is false: that it was accepted is all there is.
func (e *Events) eventReport(ctx context.Context, d described, in workflows.EventInput) (report workflows.EventReport, known bool, err error) {
	untouched := pending(in)
	switch {
	case d.fresh:
		return untouched, true, nil
	case d.abandoned() != "":
		err := e.report(ctx, d, "event", &report)
		if err != nil {
			report = untouched
		}
		return abandon(report, d.closeReason(err)), true, nil
	case d.over():
		err := e.result(ctx, d, "event", &report)
		return report, true, err
	}
	err = e.report(ctx, d, "event", &report)
	if _, away := errors.AsType[*AwayError](err); away && d.busy {
		return untouched, false, nil
	}
	return report, true, err
}

// pending is an event nothing is known of but that it was accepted.
func pending(in workflows.EventInput) workflows.EventReport {
	return workflows.EventReport{Status: webhook.EventDelivering, Deliveries: in.Deliveries()}
}

// abandon ends what the workflow could not end itself. A delivery with a workflow of its own
// speaks for itself.
func abandon(report workflows.EventReport, why string) workflows.EventReport {
	if report.Status != webhook.EventDelivering {
		return report // it had come to its end before it was cancelled
	}
	report.Status = webhook.EventFailed
	for i, d := range report.Deliveries {
		if !d.Status.Ended() && d.WorkflowID == "" {
			report.Deliveries[i].Status, report.Deliveries[i].Reason = webhook.Cancelled, why
		}
	}
	return report
}

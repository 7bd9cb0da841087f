package gateway

import (
	"context"
	"fmt"
	"time"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// getTimeout bounds the answer about one event: with a thousand deliveries that is two thousand
// questions to Temporal.
const getTimeout = 30 * time.Second

type getEvent struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
}

// event is what became of an event.
type event struct {
	ID         string              `json:"id"`
	Type       string              `json:"type" example:"contact.updated"`
	Timestamp  time.Time           `json:"timestamp"`
	Status     webhook.EventStatus `json:"status" enum:"delivering,delivered,failed"`
	Reason     string              `json:"reason,omitempty" doc:"Why its workflow ended early, if it did."`
	Deliveries []delivery          `json:"deliveries"`
	WorkflowID string              `json:"workflow_id"`
	RunID      string              `json:"run_id"`
}

// delivery is what became of the event at one endpoint.
type delivery struct {
	EndpointID    string                 `json:"endpoint_id"`
	Status        webhook.DeliveryStatus `json:"status" enum:"pending,retrying,held,delivered,exhausted,rejected,cancelled"`
	Reason        string                 `json:"reason,omitempty" doc:"Why it waits or how it ended."`
	Attempts      []webhook.Attempt      `json:"attempts"`
	NextAttemptAt *time.Time             `json:"next_attempt_at,omitempty"`
	WorkflowID    string                 `json:"workflow_id,omitempty" doc:"Set once the delivery has a workflow of its own."`
}

// getEvent puts the report of an event together with those of its deliveries in trouble.
func (g *Gateway) getEvent(ctx context.Context, in *getEvent) (*answerOf[event], error) {
	if !eventID.MatchString(in.ID) {
		return nil, noSuchEvent()
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	x, err := g.describe(ctx, workflows.EventWorkflowID(in.Tenant, in.ID))
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", in.ID, err)
	}
	first, _, err := g.started(ctx, x.id, x.runID)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", in.ID, err)
	}
	report, err := g.eventReport(ctx, x, first)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", in.ID, err)
	}
	if err := g.lookInto(ctx, report.Deliveries); err != nil {
		return nil, fmt.Errorf("event %s: %w", in.ID, err)
	}
	return &answerOf[event]{Body: event{
		ID: in.ID, Type: first.Event.Type, Timestamp: first.Event.Timestamp,
		Status: report.Status, Reason: x.abandoned(), Deliveries: deliveries(report.Deliveries),
		WorkflowID: x.id, RunID: x.runID,
	}}, nil
}

func deliveries(reports []webhook.DeliveryReport) []delivery {
	all := make([]delivery, len(reports))
	for i, r := range reports {
		all[i] = delivery(r)
		if r.Attempts == nil {
			all[i].Attempts = []webhook.Attempt{}
		}
	}
	return all
}

// eventReport is what the event says of itself.
func (g *Gateway) eventReport(ctx context.Context, x execution, in workflows.EventInput) (workflows.EventReport, error) {
	untouched := pending(in)
	switch {
	case x.fresh:
		return untouched, nil
	case x.abandoned() != "":
		var report workflows.EventReport
		err := g.ask(ctx, x, &report)
		if err != nil {
			report = untouched
		}
		return abandon(report, x.abandonedSo(err)), nil
	case x.closed():
		var report workflows.EventReport
		err := g.temporal.GetWorkflow(ctx, x.id, x.runID).Get(ctx, &report)
		return report, temporalErr(err)
	}
	var report workflows.EventReport
	return report, g.ask(ctx, x, &report)
}

// pending is an event nothing is known of but that it was accepted.
func pending(in workflows.EventInput) workflows.EventReport {
	report := workflows.EventReport{Status: webhook.EventDelivering}
	for _, id := range in.EndpointIDs {
		report.Deliveries = append(report.Deliveries, webhook.DeliveryReport{EndpointID: id, Status: webhook.Pending})
	}
	return report
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

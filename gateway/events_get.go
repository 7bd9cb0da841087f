package gateway

import (
	"context"
	"errors"
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
	Status     webhook.EventStatus `json:"status" enum:"delivering,delivered,failed,unmatched"`
	Reason     string              `json:"reason,omitempty" doc:"Why its workflow ended early, if it did."`
	Hops       int                 `json:"hops,omitempty" doc:"How often it had passed through Hookloop before."`
	Origin     *webhook.Origin     `json:"origin,omitempty" doc:"The source it came from, if no app posted it. With echo_of it says what that event's delivery had brought, and goes to nobody. With repeats it brings that event's content once more to an application that an older delivery reached after it."`
	Withheld   []string            `json:"withheld,omitempty" doc:"Endpoints that want its type but belong to the application it came from."`
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

func (g *Gateway) getEvent(ctx context.Context, in *getEvent) (*answerOf[event], error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	e, err := g.tell(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return &answerOf[event]{Body: event{
		ID: in.ID, Type: e.in.Event.Type, Timestamp: e.in.Event.Timestamp,
		Status: e.report.Status, Reason: e.abandoned(), Deliveries: deliveries(e.report.Deliveries),
		Hops: e.in.Event.Hops, Origin: e.in.Event.Origin, Withheld: e.in.Withheld,
		WorkflowID: e.id, RunID: e.runID,
	}}, nil
}

// told is what can be told of an event.
type told struct {
	execution

	in     workflows.EventInput
	report workflows.EventReport // its deliveries as they are now, whatever the event itself last knew

	accepted    int      // how many of the deliveries it was accepted with, the first ones
	redelivered []string // to these endpoints, each perhaps
}

// tell puts the report of an event together with those of its deliveries in trouble.
func (g *Gateway) tell(ctx context.Context, tenant, id string) (told, error) {
	if !eventID.MatchString(id) {
		return told{}, noSuchEvent()
	}
	e, err := g.tellEvent(ctx, tenant, id)
	if err != nil {
		return e, fmt.Errorf("event %s: %w", id, err)
	}
	return e, nil
}

func (g *Gateway) tellEvent(ctx context.Context, tenant, id string) (e told, err error) {
	if e.execution, err = g.describe(ctx, workflows.EventWorkflowID(tenant, id)); err != nil {
		return e, err
	}
	if e.in, _, err = g.started(ctx, e.id, e.runID); err != nil {
		return e, err
	}
	var known bool
	if e.report, known, err = g.eventReport(ctx, e.execution, e.in); err != nil {
		return e, err
	}
	if err := g.addRedelivered(ctx, &e); err != nil {
		return e, err
	}
	return e, g.lookInto(ctx, &e, known)
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

// eventReport is what the event says of itself. One whose worker is busy with a first attempt that
// hangs cannot say anything, and known is false: that it was accepted is all there is.
func (g *Gateway) eventReport(ctx context.Context, x execution, in workflows.EventInput) (report workflows.EventReport, known bool, err error) {
	untouched := pending(in)
	switch {
	case x.fresh:
		return untouched, true, nil
	case x.abandoned() != "":
		err := g.ask(ctx, x, &report)
		if err != nil {
			report = untouched
		}
		return abandon(report, x.abandonedSo(err)), true, nil
	case x.closed():
		err := g.temporal.GetWorkflow(ctx, x.id, x.runID).Get(ctx, &report)
		return report, true, temporalErr(err)
	}
	err = g.ask(ctx, x, &report)
	if _, away := errors.AsType[*unavailableError](err); away && x.busy {
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

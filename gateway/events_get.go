package gateway

import (
	"context"
	"time"

	"hookloop/internal/webhook"
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
	e, err := g.event(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return &answerOf[event]{Body: event{
		ID: in.ID, Type: e.Input.Event.Type, Timestamp: e.Input.Event.Timestamp,
		Status: e.Report.Status, Reason: e.Reason, Deliveries: deliveries(e.Report.Deliveries),
		Hops: e.Input.Event.Hops, Origin: e.Input.Event.Origin, Withheld: e.Input.Withheld,
		WorkflowID: e.WorkflowID, RunID: e.RunID,
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

package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// acceptTimeout bounds an acceptance: an app that waits longer has given up, and would not know.
const acceptTimeout = 10 * time.Second

type postEvent struct {
	request
	Tenant string `path:"tenant"`
	Hops   string `header:"Hookloop-Hops" doc:"As it came with the delivery this event follows from: an event that has passed by eight times waits for a person." example:"1"`
	Key    string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. A repeat with the same key and body is answered like the first one." example:"order-4711-paid"`
}

type accepted struct {
	Location string `header:"Location"`
	Body     acceptedEvent
}

// acceptedEvent is what an app learns of an event at once.
type acceptedEvent struct {
	ID         string             `json:"id" doc:"The webhook-id of every delivery." example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Type       string             `json:"type" example:"contact.updated"`
	Timestamp  time.Time          `json:"timestamp"`
	Duplicate  bool               `json:"duplicate" doc:"An event with this Idempotency-Key had been accepted before; this is that one."`
	Deliveries []acceptedDelivery `json:"deliveries"`
	WorkflowID string             `json:"workflow_id" doc:"Find the event by it in the Temporal UI."`
}

type acceptedDelivery struct {
	EndpointID string `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

// postEvent accepts an event: once it answers 202, Temporal has it.
func (g *Gateway) postEvent(ctx context.Context, in *postEvent) (*accepted, error) {
	now := g.now().UTC().Truncate(time.Millisecond)
	id, err := in.eventID(now)
	if err != nil {
		return nil, err
	}
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	parsed, err := webhook.ParseEvent(body)
	if err != nil {
		return nil, err
	}
	if err := g.quotas.Bytes(in.Tenant, len(body)); err != nil {
		return nil, err
	}
	e := webhook.Event{Tenant: in.Tenant, ID: id, Type: parsed.Type, Timestamp: now}
	if e.Hops, err = hops(in.gin.Request.Header); err != nil {
		return nil, err
	}
	if !parsed.Timestamp.IsZero() {
		if e.Timestamp, err = utc("timestamp", parsed.Timestamp); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout) // only now: the app may take its time to send
	defer cancel()
	match, err := g.registry.Match(ctx, e.Tenant, e.Type)
	if err != nil {
		return nil, registryErr(err)
	}
	return g.accept(ctx, posted{Event: e, data: parsed.Data, match: match, dated: !parsed.Timestamp.IsZero()})
}

// eventID is drawn, or derived from the Idempotency-Key if there is one.
func (in *postEvent) eventID(now time.Time) (string, error) {
	key, err := in.idempotencyKey()
	if err != nil || key == "" {
		return newID(eventPrefix, now), err
	}
	return orchestrator.IDForKey(in.Tenant, key), nil
}

// utc refuses the hours at either end of time that have no year of four digits in UTC.
func utc(field string, t time.Time) (time.Time, error) {
	if u := t.UTC(); u.Year() >= 1 && u.Year() <= 9999 {
		return u, nil
	}
	return time.Time{}, webhook.Invalidf(field, "must lie between the years 1 and 9999 in UTC")
}

// posted is an event about to be accepted.
type posted struct {
	webhook.Event
	data  []byte
	match webhook.Match
	dated bool // the app gave the timestamp
}

// accept starts the event's workflow; if there is one, it answers for that one or refuses.
func (g *Gateway) accept(ctx context.Context, p posted) (*accepted, error) {
	err := g.start(ctx, workflows.EventInput{Event: p.Event, EndpointIDs: p.match.IDs, Disabled: p.match.Disabled, By: subject(ctx)}, p.data)
	if errors.Is(err, orchestrator.ErrAccepted) {
		return g.repeat(ctx, p)
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", p.ID, err)
	}
	g.metrics.accepted.Inc()
	return answer(p.Event, p.match.IDs, false), nil
}

func answer(e webhook.Event, endpoints []string, duplicate bool) *accepted {
	a := &accepted{
		Location: "/v1/tenants/" + e.Tenant + "/events/" + e.ID,
		Body: acceptedEvent{
			ID: e.ID, Type: e.Type, Timestamp: e.Timestamp, Duplicate: duplicate,
			Deliveries: make([]acceptedDelivery, len(endpoints)),
			WorkflowID: workflows.EventWorkflowID(e.Tenant, e.ID),
		},
	}
	for i, id := range endpoints {
		a.Body.Deliveries[i].EndpointID = id
	}
	return a
}

// repeat answers a post whose Idempotency-Key was used before: like the original if it is the same
// event, and never with a second one.
func (g *Gateway) repeat(ctx context.Context, p posted) (*accepted, error) {
	first, data, err := g.events.Accepted(ctx, p.Tenant, p.ID)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", p.ID, err)
	}
	same := first.Event.Type == p.Type && bytes.Equal(data, p.data) &&
		(!p.dated || first.Event.Timestamp.Equal(p.Timestamp))
	if !same {
		return nil, webhook.Errorf(IdempotencyConflict, "this Idempotency-Key was used for another event, %s", p.ID)
	}
	return answer(first.Event, first.EndpointIDs, true), nil
}

package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"hookloop/api"
	"hookloop/gateway/observe"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// acceptTimeout bounds an acceptance: an app that waits longer has given up, and would not know.
const acceptTimeout = 10 * time.Second

type postEvent struct {
	rawBody[api.NewEvent]
	TenantPath

	Hops string `header:"Hookloop-Hops" doc:"As it came with the delivery this event follows from: an event that has passed by eight times waits for a person." example:"1"`
	Key  string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. A repeat with the same key and body is answered like the first one." example:"order-4711-paid"`
}

type accepted struct {
	Location string `header:"Location"`
	Body     api.AcceptedEvent
}

// postEvent accepts an event: once it answers 202, Temporal has it.
func (g *Gateway) postEvent(ctx context.Context, in *postEvent) (*accepted, error) {
	now := g.cfg.Now().UTC().Truncate(time.Millisecond)
	id, err := in.eventID(now)
	if err != nil {
		return nil, err
	}
	body, err := in.read(false)
	if err != nil {
		return nil, err
	}
	parsed, err := webhook.ParseEvent(body)
	if err != nil {
		return nil, err
	}
	if err := g.cfg.Quotas.Bytes(in.Tenant, len(body)); err != nil {
		return nil, err
	}
	e := webhook.Event{Tenant: in.Tenant, ID: id, Type: parsed.Type, Timestamp: now}
	if e.Hops, err = hops(in.gin.Request.Header); err != nil {
		return nil, err
	}
	if !parsed.Timestamp.IsZero() {
		if e.Timestamp, err = wellformed.UTC("timestamp", parsed.Timestamp); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout) // only now: the app may take its time to send
	defer cancel()
	if err := g.beforeStart(ctx, in, id, parsed.Subject); err != nil {
		return nil, err
	}
	match, err := g.cfg.Registry.Match(ctx, e.Tenant, e.Type)
	if err != nil {
		return nil, problem.Registry(err)
	}
	return g.accept(ctx, newEvent{Event: e, data: parsed.Data, match: match, dated: !parsed.Timestamp.IsZero()})
}

// beforeStart notes whom an event concerns, so that it is found when that is to be erased, and
// refuses one that a key would bring back from there. Most events have neither.
func (g *Gateway) beforeStart(ctx context.Context, in *postEvent, id, subject string) error {
	if in.Key != "" {
		if err := g.refuseErased(ctx, in.Tenant, id); err != nil {
			return err
		}
	}
	if subject == "" {
		return nil
	}
	if err := g.cfg.Erasures.NoteSubject(ctx, in.Tenant, id, subject); err != nil {
		return fmt.Errorf("subject of event %s: %w", id, problem.Registry(err))
	}
	return nil
}

// eventID is drawn, or derived from the Idempotency-Key if there is one.
func (in *postEvent) eventID(now time.Time) (string, error) {
	key, err := in.idempotencyKey()
	if err != nil || key == "" {
		return newID(webhook.EventPrefix, now), err
	}
	return orchestrator.IDForKey(in.Tenant, key), nil
}

// newEvent is one about to be accepted.
type newEvent struct {
	webhook.Event
	data  []byte
	match webhook.Match
	dated bool // the app gave the timestamp
}

// accept starts the event's workflow; if there is one, it answers for that one or refuses.
func (g *Gateway) accept(ctx context.Context, e newEvent) (*accepted, error) {
	err := g.start(ctx, workflows.EventInput{Event: e.Event, EndpointIDs: e.match.IDs, Disabled: e.match.Disabled, By: subject(ctx)}, e.data)
	if errors.Is(err, orchestrator.ErrAccepted) {
		return g.repeat(ctx, e)
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.ID, err)
	}
	g.observer.Accepted.Inc()
	return answer(e.Event, e.match.IDs, false), nil
}

// start accepts an event: with it the event cannot be lost.
func (g *Gateway) start(ctx context.Context, in workflows.EventInput, data []byte) (err error) {
	thirdParty := in.Event.Origin != nil // would send all of its batch again for one that is refused
	place, err := g.gate.Enter(ctx, in.Event.Tenant, thirdParty)
	if err != nil {
		return err
	}
	defer func() { place.Leave(ctx, err) }()
	ctx, done := observe.Acceptance(ctx, &in.Event)
	err = g.cfg.Events.Start(ctx, in, data)
	done(err)
	if err == nil && in.Unmatched() {
		g.observer.Unmatched.Inc()
	}
	return err
}

func answer(e webhook.Event, endpoints []string, duplicate bool) *accepted {
	a := &accepted{
		Location: "/v1/tenants/" + e.Tenant + "/events/" + e.ID,
		Body: api.AcceptedEvent{
			ID: e.ID, Type: e.Type, Timestamp: e.Timestamp, Duplicate: duplicate,
			Deliveries: make([]api.AcceptedDelivery, len(endpoints)),
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
func (g *Gateway) repeat(ctx context.Context, e newEvent) (*accepted, error) {
	first, data, err := g.cfg.Events.Accepted(ctx, e.Tenant, e.ID)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.ID, err)
	}
	same := first.Event.Type == e.Type && bytes.Equal(data, e.data) &&
		(!e.dated || first.Event.Timestamp.Equal(e.Timestamp))
	if !same {
		return nil, webhook.Errorf(api.IdempotencyConflict, "this Idempotency-Key was used for another event, %s", e.ID)
	}
	return answer(first.Event, first.EndpointIDs, true), nil
}

// testType is the type of the event an endpoint's owner asks for to try things out.
const testType = "hookloop.test"

// testEndpoint sends an event to one endpoint, whatever types it wants: an event like any other,
// with its history, its signature and its retries.
func (g *Gateway) testEndpoint(ctx context.Context, in *EndpointPath) (*accepted, error) {
	if err := g.takesDeliveries(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	data, err := json.Marshal(api.AcceptedDelivery{EndpointID: in.ID})
	if err != nil {
		return nil, err
	}
	now := g.cfg.Now().UTC().Truncate(time.Millisecond)
	return g.accept(ctx, newEvent{
		Event: webhook.Event{Tenant: in.Tenant, ID: newID(webhook.EventPrefix, now), Type: testType, Timestamp: now},
		data:  data,
		match: webhook.Match{IDs: []string{in.ID}},
	})
}

// hops reads how often an event has passed through Hookloop. Without the header an event is new
// here.
func hops(h http.Header) (int, error) {
	value := h.Get(webhook.HeaderHops)
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0, webhook.Invalidf(webhook.HeaderHops, "must be a whole number")
	}
	return int(n), nil
}

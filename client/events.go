package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"hookloop/api"
)

// Events are what happened, and their deliveries.
type Events struct{ scope }

// Send posts an event. Once the call is answered, the event cannot get lost; its data arrives byte
// for byte.
func (e Events) Send(event api.NewEvent) Call[api.AcceptedEvent] {
	c := call[api.AcceptedEvent](e.scope, http.MethodPost, "events").making()
	c.request.body, c.err = eventBody(event)
	return c
}

// eventBody is put together around the data: encoding/json would take its blanks out and escape its
// angle brackets.
func eventBody(event api.NewEvent) ([]byte, error) {
	if !json.Valid(event.Data) {
		return nil, errors.New("the event's data is not valid JSON")
	}
	data := event.Data
	event.Data = nil // written as null, at its place
	rest, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(rest, []byte(`"data":null`))
	return bytes.Join([][]byte{before, []byte(`"data":`), data, after}, nil), nil
}

// Get shows what became of an event: every delivery, every attempt.
func (e Events) Get(id string) Call[api.Event] {
	return call[api.Event](e.scope, http.MethodGet, "events", id)
}

// List shows events, those accepted last first. An event shows up a moment after it was accepted.
func (e Events) List(query api.EventQuery) List[api.EventItem] {
	return list[api.EventItem](e.scope, query, "events")
}

// Data shows what an event says, byte for byte.
func (e Events) Data(id string) Call[json.RawMessage] {
	return call[json.RawMessage](e.scope, http.MethodGet, "events", id, "data")
}

// Audit shows what happened to an event, line by line, the oldest first.
func (e Events) Audit(id string) List[api.AuditLine] {
	return list[api.AuditLine](e.scope, api.CursorQuery{}, "events", id, "audit")
}

// Erase takes the data of an event away, and the answers to it. Once it is answered it happens,
// whatever dies meanwhile; a repeat tells how far it is.
func (e Events) Erase(id string, query api.ErasureQuery) Call[api.Erasure] {
	return call[api.Erasure](e.scope, http.MethodDelete, "events", id, "data").asking(query)
}

// Hold forbids to erase an event.
func (e Events) Hold(id string, o api.HoldOrder) Call[api.Hold] {
	return call[api.Hold](e.scope, http.MethodPost, "events", id, "hold").with(o)
}

// Unhold allows again to erase an event.
func (e Events) Unhold(id string, o api.HoldOrder) Call[api.Hold] {
	return call[api.Hold](e.scope, http.MethodPost, "events", id, "unhold").with(o)
}

// RetryNow makes a waiting delivery's next attempt now. The answer is the delivery as it stood
// before.
func (e Events) RetryNow(id, endpointID string, i api.Instruction) Call[api.Delivery] {
	return call[api.Delivery](e.scope, http.MethodPost, "events", id, "deliveries", endpointID, "retry-now").with(i)
}

// Cancel ends a waiting delivery. The answer is the delivery as it stood before.
func (e Events) Cancel(id, endpointID string, i api.Instruction) Call[api.Delivery] {
	return call[api.Delivery](e.scope, http.MethodPost, "events", id, "deliveries", endpointID, "cancel").with(i)
}

// Redeliver delivers an event again: all that ended undelivered, or to the one endpoint that is
// named.
func (e Events) Redeliver(id string, r api.Redelivery) Call[api.Redelivered] {
	return call[api.Redelivered](e.scope, http.MethodPost, "events", id, "redeliver").with(r)
}

// Wait waits until all deliveries of an event have ended.
func (e Events) Wait(ctx context.Context, id string) (api.Event, error) {
	a, err := e.Get(id).Until(ctx, Ended)
	if err != nil {
		return a.Value, fmt.Errorf("event %s: %w", id, err)
	}
	return a.Value, nil
}

// ErrUndelivered is why WaitDelivered fails although the event has ended.
var ErrUndelivered = errors.New("was not delivered everywhere")

// WaitDelivered waits until all deliveries of an event have ended, and fails with [ErrUndelivered]
// if one was not delivered. An event that no endpoint wanted is not a failure.
func (e Events) WaitDelivered(ctx context.Context, id string) (api.Event, error) {
	event, err := e.Wait(ctx, id)
	if err == nil && event.Status == api.EventFailed {
		err = fmt.Errorf("event %s %w", id, ErrUndelivered)
	}
	return event, err
}

// Ended says whether all deliveries of an event have ended.
func Ended(e api.Event) bool { return e.Status != api.EventDelivering }

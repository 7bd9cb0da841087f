// Package activities holds the side effects workflows ask for. An activity may run twice; an
// attempt that did is a duplicate the endpoint recognises by its webhook-id. What an activity
// needs of the world it asks of small interfaces declared here; cmd picks who implements them.
package activities

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
)

// EndpointReader looks an endpoint up as it is now. It answers a webhook.NotFound error for one
// that does not exist or no longer does.
type EndpointReader interface {
	Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
}

// Sender makes one attempt. Any answer or failure of the endpoint is an Attempt; an error means
// none was made, and is a *webhook.Deferral when the turn passed without one.
type Sender interface {
	Send(ctx context.Context, d webhook.Delivery, number int) (webhook.Attempt, error)
}

// EventReader fetches what an event says from the history that holds it. The error is an EventGone
// when nothing does any more.
type EventReader interface {
	EventContent(ctx context.Context, e webhook.Event, runID string) (webhook.Content, error)
}

// Bodies reads the data of large events, which lies outside of their histories.
type Bodies interface {
	// Data is what p, found in the event's history, is or refers to.
	Data(ctx context.Context, e webhook.Event, p *commonpb.Payload) ([]byte, error)
	// Room waits until data of size bytes has room in the memory; release gives it back.
	Room(ctx context.Context, size int64) (release func(), err error)
}

// Echoes notes what a delivery is about to bring to an application, so that its echo is known.
type Echoes interface {
	// Remember notes it. The caller tells settle what came of it; nil: no attempt was made.
	Remember(ctx context.Context, d webhook.Delivery) (settle func(context.Context, *webhook.Attempt), err error)
}

// AttemptLog notes what came of turns, for lists and statistics. It never waits, and what it loses
// the histories have.
type AttemptLog interface {
	Attempt(e webhook.Event, endpointID, runID string, a webhook.Attempt)
	// Deferred notes that the first turn of a delivery passed without an attempt.
	Deferred(e webhook.Event, endpointID, runID string, accepted time.Time, d webhook.Deferral)
}

// Delivery holds the activities of a delivery. Renaming a method is a migration, not a refactor.
type Delivery struct {
	Endpoints EndpointReader
	Sender    Sender
	Events    EventReader
	Echoes    Echoes     // nil: nothing is noted, and every echo counts as a change
	Bodies    Bodies     // nil: every event's data lies in its history
	Log       AttemptLog // nil: there is none
}

// Turn names one turn of a delivery: its chance to make attempt Number. Fields are added, never
// renamed or re-typed.
type Turn struct {
	Event      webhook.Event `json:"event"`
	EventRunID string        `json:"event_run_id"` // the run whose history holds the data
	EndpointID string        `json:"endpoint_id"`
	Number     int           `json:"number"`
	Held       bool          `json:"held,omitempty"`   // it rechecks by itself: a release under way has not come to it
	Probe      bool          `json:"probe,omitempty"`  // a person asked for it: the endpoint may be held
	Parked     string        `json:"parked,omitempty"` // why a person must let the event go first

	// AcceptedAt is when the event was accepted. It is for the fast lane, as Context is.
	AcceptedAt time.Time `json:"accepted_at,omitzero"`

	// Context is the event's, for the fast lane, which records no arguments. The durable lane reads
	// it with the data.
	Context json.RawMessage `json:"context,omitempty"`

	KeepResponse int `json:"keep_response,omitempty"` // bytes of the answer's body; 0: all of webhook.MaxResponseBody
}

// TurnResult is what came of a turn: an attempt, or the reason there was none.
type TurnResult struct {
	Attempt  *webhook.Attempt  `json:"attempt,omitempty"`
	Deferral *webhook.Deferral `json:"deferral,omitempty"`
	Schedule webhook.Schedule  `json:"schedule,omitempty"` // the endpoint's; absent when the attempt delivered
}

// FastAttempt is the fast lane's turn. It runs as a local activity, which records its result and
// not its arguments: the data costs nothing here.
func (d *Delivery) FastAttempt(ctx context.Context, t Turn, data converter.RawValue) (TurnResult, error) {
	read := time.Now()
	ep, err := d.endpoint(ctx, t)
	if err != nil {
		return TurnResult{}, err
	}
	if s := ep.ScheduleOrDefault(); t.Number == 1 && s[0] > 0 && ep.Refuses(time.Now(), false) == nil {
		r := TurnResult{Deferral: &webhook.Deferral{Reason: webhook.DeferSchedule}, Schedule: s}
		d.note(t, t.EventRunID, r)
		return r, nil
	}
	release, err := d.room(ctx, t.Event)
	if err != nil {
		return TurnResult{}, err
	}
	defer release()
	content := webhook.Content{Data: data.Payload().GetData(), Context: t.Context}
	if t.Event.Stored > 0 && d.Bodies != nil {
		if content.Data, err = d.Bodies.Data(ctx, t.Event, data.Payload()); err != nil {
			return TurnResult{}, err
		}
	}
	r, err := d.send(ctx, t, webhook.Delivery{First: t.Number == 1, Event: t.Event, Endpoint: ep, ReadAt: read, Content: content})
	d.note(t, t.EventRunID, r)
	return r, err
}

// note tells the log what came of a turn that a run of a workflow took.
func (d *Delivery) note(t Turn, runID string, r TurnResult) {
	switch {
	case d.Log == nil:
	case r.Attempt != nil:
		d.Log.Attempt(t.Event, t.EndpointID, runID, *r.Attempt)
	case r.Deferral != nil && !t.AcceptedAt.IsZero() && t.Number == 1:
		d.Log.Deferred(t.Event, t.EndpointID, runID, t.AcceptedAt, *r.Deferral)
	}
}

// room waits for room in the memory for what lies in the body store.
func (d *Delivery) room(ctx context.Context, e webhook.Event) (release func(), err error) {
	if e.Stored == 0 || d.Bodies == nil {
		return func() {}, nil
	}
	return d.Bodies.Room(ctx, e.Stored)
}

// Attempt is the durable lane's turn. Its arguments are recorded on every attempt, so they carry
// ids only and the data is read from the event's history. A deferral that time will end is an
// error, after which Temporal repeats the turn: ten thousand deliveries behind one open breaker
// cost no workflow task, and their histories do not grow.
func (d *Delivery) Attempt(ctx context.Context, t Turn) (TurnResult, error) {
	r, err := d.durableTurn(ctx, t)
	switch {
	case err == nil && r.Deferral != nil && !lasts(r.Deferral.Reason):
		return TurnResult{}, deferred(ctx, t, *r.Deferral)
	case err != nil && !isFinal(err) && ctx.Err() == nil:
		rememberTrouble(ctx)
	}
	return r, err
}

func (d *Delivery) durableTurn(ctx context.Context, t Turn) (TurnResult, error) {
	read := time.Now()
	ep, err := d.endpoint(ctx, t)
	if err != nil {
		return TurnResult{}, err
	}
	release, err := d.room(ctx, t.Event)
	if err != nil {
		return TurnResult{}, err
	}
	defer release()
	content, err := d.Events.EventContent(ctx, t.Event, t.EventRunID)
	if err != nil {
		return TurnResult{}, err
	}
	r, err := d.send(ctx, t, webhook.Delivery{Event: t.Event, Endpoint: ep, ReadAt: read, Content: content, Probe: t.Probe})
	if r.Attempt != nil {
		d.note(t, activity.GetInfo(ctx).WorkflowExecution.RunID, r)
	}
	return r, err
}

// lasts says whether a deferral is for a person to end, and so for the workflow to know.
func lasts(r webhook.DeferReason) bool {
	return r == webhook.DeferState || r == webhook.DeferDisabled
}

func (d *Delivery) endpoint(ctx context.Context, t Turn) (webhook.Endpoint, error) {
	ep, err := d.Endpoints.Endpoint(ctx, t.Event.Tenant, t.EndpointID)
	return ep, orGone(err)
}

func (d *Delivery) send(ctx context.Context, t Turn, next webhook.Delivery) (TurnResult, error) {
	ep := next.Endpoint
	if refused := ep.Refuses(time.Now(), t.Held); refused != nil && !t.Probe {
		return TurnResult{Deferral: refused, Schedule: ep.ScheduleOrDefault()}, nil
	}
	if t.Parked != "" {
		return TurnResult{Deferral: &webhook.Deferral{Reason: webhook.DeferState, Detail: t.Parked}, Schedule: ep.ScheduleOrDefault()}, nil
	}
	a, err := d.attempt(ctx, next, t.Number)
	if deferral, ok := errors.AsType[*webhook.Deferral](err); ok {
		return TurnResult{Deferral: deferral, Schedule: ep.ScheduleOrDefault()}, nil
	}
	if err != nil {
		return TurnResult{}, err
	}
	if t.KeepResponse > 0 {
		a.ResponseBody = webhook.Cut(a.ResponseBody, t.KeepResponse)
	}
	r := TurnResult{Attempt: &a}
	if !a.Succeeded() {
		r.Schedule = ep.ScheduleOrDefault()
	}
	return r, nil
}

// attempt makes one. It notes for echoes what is about to leave, and then what came of it.
func (d *Delivery) attempt(ctx context.Context, next webhook.Delivery, number int) (webhook.Attempt, error) {
	if d.Echoes == nil {
		return d.Sender.Send(ctx, next, number)
	}
	settle, err := d.Echoes.Remember(ctx, next)
	if err != nil {
		return webhook.Attempt{}, err
	}
	a, err := d.Sender.Send(ctx, next, number)
	if err != nil {
		settle(ctx, nil)
	} else {
		settle(ctx, &a)
	}
	return a, err
}

package ingest

import (
	"context"
	"fmt"

	"hookloop/gateway/problem"
	"hookloop/internal/echo"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Echoes says whether an item of a source is the echo of what was delivered to its application.
type Echoes interface {
	// Rule calls restore if the application has lost a newer change by what it echoes.
	Rule(ctx context.Context, s webhook.Source, eventID string, data []byte, restore echo.Restore) (echo.Ruling, error)
}

// rule finds out which endpoints an event goes to: a change to those that want it, an echo to none.
// An echo of an old value shows that the application has lost a newer one; then there is more to
// start, an event that brings it that once more.
func (in *ingestion) rule(ctx context.Context, m *matcher, e *newEvent) (more []newEvent, err error) {
	restore := func(ctx context.Context, r echo.Ruling) (bool, error) {
		more, err = in.repeat(ctx, m, r, e.Event.ID)
		return len(more) > 0, err
	}
	ruling, err := in.receiver.cfg.Echoes.Rule(ctx, in.source, e.Event.ID, e.data, restore)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.Event.ID, problem.Expression(err))
	}
	e.Event.Origin.Order, e.Event.Origin.Unsure, e.Event.Origin.EchoOf = ruling.Order, ruling.Unsure, ruling.EchoOf
	if !e.Event.Origin.IsEcho() {
		var to webhook.Match
		to, e.Withheld, err = m.match(ctx, e.Event.Type)
		e.EndpointIDs, e.Disabled = to.IDs, to.Disabled
	}
	return more, err
}

// repeat is the event that brings the application once more what it has lost: of the same content,
// but with an id of its own, for receivers pass over an id they know. There is none if none of its
// endpoints takes events of that type, or the history is gone.
func (in *ingestion) repeat(ctx context.Context, m *matcher, r echo.Ruling, echoID string) ([]newEvent, error) {
	lost, data, err := in.receiver.cfg.Accepted(ctx, in.source.Tenant, r.Newer)
	if webhook.CodeOf(err) == webhook.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, to, err := m.match(ctx, lost.Event.Type) // the application's own
	if err != nil || len(to) == 0 {
		return nil, err
	}
	e := lost.Event
	e.ID = orchestrator.IDForKey(e.Tenant, "repeat for "+echoID)
	e.Origin = &webhook.Origin{
		SourceID: in.source.ID, Provider: in.source.Provider, Key: r.Newer, Order: r.Latest, Repeats: r.Newer,
	}
	return []newEvent{{EventInput: workflows.EventInput{Event: e, EndpointIDs: to, Context: lost.Context}, data: data}}, nil
}

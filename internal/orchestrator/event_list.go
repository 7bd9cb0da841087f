package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// EventFilter says which events to list; a zero value leaves all in.
type EventFilter struct {
	Tenant string // required
	Type   string
	Status webhook.EventStatus

	After, Before time.Time // when the event was accepted
}

// EventItem is an event in a list; its State tells more.
type EventItem struct {
	ID, Type          string
	Status            webhook.EventStatus
	AcceptedAt        time.Time
	WorkflowID, RunID string
}

// List gives a page of events, those that were accepted last first, and where the next page begins;
// nil: that was the last. The visibility store is a moment behind.
func (e *Events) List(ctx context.Context, f EventFilter, size int, page []byte) ([]EventItem, []byte, error) {
	n := newest{link: e.link, query: f.query(), size: size}
	if page != nil {
		if err := json.Unmarshal(page, &n.behind); err != nil {
			return nil, nil, fmt.Errorf("events: where the page begins: %w", err)
		}
	}
	found, next, err := n.page(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("events: %w", failed(err))
	}
	all := make([]EventItem, len(found))
	for i, x := range found {
		all[i] = x.item(f.Tenant)
	}
	return all, next, nil
}

func (x Execution) item(tenant string) EventItem {
	return EventItem{
		ID: x.eventID(tenant, ""), Type: x.EventType, Status: x.eventStatus(), AcceptedAt: x.Start, WorkflowID: x.WorkflowID, RunID: x.RunID,
	}
}

// Named gives events by their ids, at most as many as a list's page has. Those that Temporal does
// not know, or no more, are missing.
func (e *Events) Named(ctx context.Context, tenant string, ids []string) (map[string]EventItem, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = workflows.EventWorkflowID(tenant, id)
	}
	all := make(map[string]EventItem, len(ids))
	for x, err := range e.every(ctx, idIn(names), len(ids)) {
		if err != nil {
			return nil, fmt.Errorf("events: %w", failed(err))
		}
		all[x.eventID(tenant, "")] = x.item(tenant)
	}
	return all, nil
}

func (f EventFilter) query() query {
	all := []query{ofType(workflows.TypeEvent), is(workflows.Tenant, f.Tenant)}
	if f.Type != "" {
		all = append(all, is(workflows.EventType, f.Type))
	}
	if f.Status != "" {
		all = append(all, hasStatus(f.Status))
	}
	if !f.After.IsZero() {
		all = append(all, started(">", f.After))
	}
	if !f.Before.IsZero() {
		all = append(all, started("<", f.Before))
	}
	return where(all...)
}

// hasStatus counts an event whose workflow was ended from outside as failed, as eventStatus does:
// the workflow had no chance to say so itself.
func hasStatus(s webhook.EventStatus) query {
	own := is(workflows.Outcome, string(s))
	switch s {
	case webhook.EventDelivering:
		return where(own, running)
	case webhook.EventFailed:
		return either(own, where(is(workflows.Outcome, string(webhook.EventDelivering)), ended))
	case webhook.EventDelivered, webhook.EventUnmatched:
	}
	return own
}

func (x Execution) eventStatus() webhook.EventStatus {
	s := webhook.EventStatus(x.Outcome)
	if s == webhook.EventDelivering && x.over() {
		return webhook.EventFailed
	}
	return s
}

// Holds says whether an event is one of those that the filter leaves in.
func (f EventFilter) Holds(e EventItem) bool {
	return (f.Type == "" || e.Type == f.Type) && (f.Status == "" || e.Status == f.Status) &&
		(f.After.IsZero() || e.AcceptedAt.After(f.After)) && (f.Before.IsZero() || e.AcceptedAt.Before(f.Before))
}

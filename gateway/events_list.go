package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

type listEvents struct {
	TenantPath
	api.EventQuery
}

// listEvents asks Temporal's visibility store, which is a moment behind.
func (g *Gateway) listEvents(ctx context.Context, in *listEvents) (*answerOf[api.Page[api.EventItem]], error) {
	filter, err := in.filter(g.cfg.Now())
	if err != nil {
		return nil, err
	}
	if in.Endpoint, err = wellformed.OneEndpoint(in.Endpoint, in.EndpointID); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"events", in.Tenant, in.Endpoint, in.Type, string(in.Status), in.After, in.Before}, " ") // as it was asked: an hour ago is another time on each page
	if in.Endpoint != "" {
		return g.eventsAt(ctx, in, filter, list)
	}
	token, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := g.cfg.Events.List(ctx, filter, in.Limit, token)
	if err != nil {
		return nil, err
	}
	return page(found, g.newCursor(list, next), func(e orchestrator.EventItem) api.EventItem { return api.EventItem(e) }), nil
}

// filter checks what was asked for.
func (in *listEvents) filter(now time.Time) (f orchestrator.EventFilter, err error) {
	f = orchestrator.EventFilter{Tenant: in.Tenant, Type: in.Type, Status: in.Status}
	if in.Type != "" {
		if err := webhook.CheckEventType(in.Type); err != nil {
			return f, err
		}
	}
	f.After, f.Before, err = wellformed.Period(in.After, in.Before, now)
	return f, err
}

// mostRounds bounds how often a page of an endpoint's events is looked for among those that are not
// meant.
const mostRounds = 8

// eventsAt lists the events that had a turn at an endpoint. The attempt log knows which they are,
// Temporal how they stand; where Temporal knows none of a page any more, the list ends.
func (g *Gateway) eventsAt(ctx context.Context, in *listEvents, f orchestrator.EventFilter, list string) (*answerOf[api.Page[api.EventItem]], error) {
	from, err := g.openPosition(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	if _, err := g.endpoint(ctx, in.Tenant, in.Endpoint); err != nil {
		return nil, err
	}
	page := api.Page[api.EventItem]{Data: []api.EventItem{}}
	for range mostRounds {
		seen, err := g.cfg.Attempts.EventsAt(ctx, in.Tenant, in.Endpoint, from, in.Limit)
		if err != nil {
			return nil, fmt.Errorf("events: %w", problem.Registry(err))
		}
		known, err := g.cfg.Events.Named(ctx, in.Tenant, idsOf(seen, func(s attemptlog.Seen) string { return s.EventID }))
		if err != nil {
			return nil, err
		}
		if len(known) == 0 {
			return answered(page, nil)
		}
		for _, s := range seen {
			if len(page.Data) == in.Limit {
				break
			}
			from = attemptlog.Position{At: s.At, EventID: s.EventID}
			if item, ok := known[s.EventID]; ok && f.Holds(item) {
				page.Data = append(page.Data, api.EventItem(item))
			}
		}
		if len(page.Data) == in.Limit {
			break
		}
	}
	page.NextCursor = g.newCursor(list, position(from))
	return answered(page, nil)
}

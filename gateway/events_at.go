package gateway

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// mostRounds bounds how often a page of an endpoint's events is looked for among those that are not
// meant.
const mostRounds = 8

// eventsAt lists the events that had a turn at an endpoint. The attempt log knows which they are,
// Temporal how they stand; where Temporal knows none of a page any more, the list ends.
func (g *Gateway) eventsAt(ctx context.Context, in *listEvents, f orchestrator.EventFilter, list string) (*answerOf[api.Page[api.EventItem]], error) {
	from, err := g.openPlace(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	if _, err := g.endpoint(ctx, in.Tenant, in.Endpoint); err != nil {
		return nil, err
	}
	page := api.Page[api.EventItem]{Data: []api.EventItem{}}
	for range mostRounds {
		seen, err := g.attempts.EventsAt(ctx, in.Tenant, in.Endpoint, from, in.Limit)
		if err != nil {
			return nil, fmt.Errorf("events: %w", problem.Registry(err))
		}
		ids := make([]string, len(seen))
		for i, s := range seen {
			ids[i] = s.EventID
		}
		known, err := g.events.Named(ctx, in.Tenant, ids)
		if err != nil {
			return nil, err
		}
		if len(known) == 0 {
			return &answerOf[api.Page[api.EventItem]]{Body: page}, nil
		}
		for _, s := range seen {
			if len(page.Data) == in.Limit {
				break
			}
			from = attemptlog.Place{At: s.At, EventID: s.EventID}
			if item, ok := known[s.EventID]; ok && f.Holds(item) {
				page.Data = append(page.Data, api.EventItem(item))
			}
		}
		if len(page.Data) == in.Limit {
			break
		}
	}
	page.NextCursor = g.newPlace(list, from)
	return &answerOf[api.Page[api.EventItem]]{Body: page}, nil
}

func (g *Gateway) dataRoute(to huma.API) {
	route(g, to, operation{
		id: "get-event-data", tag: tagEvents, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/events/{id}/data", scope: api.EventsData,
		refuses: []api.Code{api.Erased},
		summary: "What an event says",
		text:    "Its `data`, byte for byte as it came, for as long as Temporal keeps the history. Who reads it stands in the audit.",
	}, g.eventData)
}

type eventData struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (g *Gateway) eventData(ctx context.Context, in *getEvent) (*eventData, error) {
	if !eventID.MatchString(in.ID) {
		return nil, noSuchEvent()
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	if err := g.mayReadData(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	_, data, err := g.events.Accepted(ctx, in.Tenant, in.ID)
	if err = g.unlessErased(ctx, in.Tenant, in.ID, err); err != nil {
		return nil, fmt.Errorf("data of event %s: %w", in.ID, err)
	}
	if err := g.recordRead(ctx, in.Tenant, webhook.AuditLine{Kind: webhook.AuditPayloadRead, EventID: in.ID}); err != nil {
		return nil, err
	}
	return &eventData{ContentType: "application/json", CacheControl: "no-store", Body: data}, nil
}

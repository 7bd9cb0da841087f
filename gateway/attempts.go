package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// AttemptLog is what is known of attempts, and of endpoints by name. Its errors mean that the
// registry is out of reach.
type AttemptLog interface {
	// Attempts lists attempts at an endpoint, the newest first.
	Attempts(ctx context.Context, q attemptlog.Query) ([]attemptlog.Row, error)
	// EventsAt lists the events that had a turn at an endpoint, the newest first, those behind
	// from.
	EventsAt(ctx context.Context, tenant, endpointID string, from attemptlog.Place, limit int) ([]attemptlog.Seen, error)
	// AttemptTallies sums up the spans that began in [since, until), by endpoint: those named or,
	// nil, all.
	AttemptTallies(ctx context.Context, tenant string, span time.Duration, since, until time.Time, ids []string) (map[string]attemptlog.Tally, error)
	// AttemptCounts gives each of those spans: of one endpoint or, empty, of all.
	AttemptCounts(ctx context.Context, tenant, endpointID string, span time.Duration, since, until time.Time) ([]attemptlog.Count, error)
	LatestAttempts(ctx context.Context, tenant string, ids []string) (map[string]attemptlog.Latest, error)
	EndpointNames(ctx context.Context, tenant string, ids []string) ([]webhook.EndpointName, error)
}

// Waiting tells what has not been delivered yet; orchestrator.Waiting does.
type Waiting interface {
	List(ctx context.Context, f orchestrator.WaitingFilter, size int, page []byte) ([]orchestrator.WaitingItem, []byte, error)
	Census(ctx context.Context, tenant string) (orchestrator.Census, error)
}

func (g *Gateway) attemptRoutes(to huma.API) {
	route(g, to, operation{
		id: "list-attempts", tag: tagEndpoints, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/endpoints/{id}/attempts", scope: api.EventsRead,
		summary: "List the attempts at an endpoint",
		text: "The newest first, a second after they were made, for as long as the attempt log keeps them. What was sent and answered the event tells: the log " +
			"holds neither. Histories are the truth; the log is made of them where rows were lost.",
	}, g.listAttempts)
	route(g, to, operation{
		id: "list-undelivered", tag: tagDeliveries, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/undelivered", scope: api.EventsRead,
		summary: "What has not been delivered yet, and why",
		text: "Deliveries that go on and that a first attempt did not end, over all endpoints, those that began last first. Each is asked why it waits, and until when. " +
			"A delivery shows up a moment after it began.",
	}, g.listUndelivered)
}

type listAttempts struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	api.AttemptQuery
}

func (g *Gateway) listAttempts(ctx context.Context, in *listAttempts) (*answerOf[api.Page[api.AttemptItem]], error) {
	q := attemptlog.Query{Tenant: in.Tenant, EndpointID: in.ID, Failed: in.Failed, Limit: in.Limit + 1}
	var err error
	if q.After, q.Before, err = period(in.After, in.Before, g.now()); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"attempts", in.Tenant, in.ID, fmt.Sprint(in.Failed), in.After, in.Before}, " ")
	if q.From, err = g.openPlace(list, in.Cursor); err != nil {
		return nil, err
	}
	if _, err := g.endpoint(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	found, err := g.attempts.Attempts(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("attempts: %w", problem.Registry(err))
	}
	page := api.Page[api.AttemptItem]{Data: []api.AttemptItem{}}
	if len(found) > in.Limit { // the one too many only tells that there are more
		found = found[:in.Limit]
		page.NextCursor = g.newPlace(list, found[in.Limit-1].Place())
	}
	for _, r := range found {
		page.Data = append(page.Data, api.AttemptItem{
			EventID: r.EventID, EventType: r.EventType, Number: r.Number, At: r.At, Outcome: r.Outcome,
			StatusCode: r.StatusCode, DurationMS: r.DurationMS, Failure: r.Failure, Error: r.Error,
		})
	}
	return &answerOf[api.Page[api.AttemptItem]]{Body: page}, nil
}

// newPlace and openPlace make cursors of places in the attempt log.
func (g *Gateway) newPlace(list string, p attemptlog.Place) *string {
	place, _ := json.Marshal(p) // a time, texts and a number always marshal
	return g.newCursor(list, place)
}

func (g *Gateway) openPlace(list, cursor string) (p attemptlog.Place, err error) {
	place, err := g.openCursor(list, cursor)
	if err != nil || place == nil {
		return p, err
	}
	return p, json.Unmarshal(place, &p)
}

type listUndelivered struct {
	Tenant string `path:"tenant"`
	api.UndeliveredQuery
}

func (g *Gateway) listUndelivered(ctx context.Context, in *listUndelivered) (_ *answerOf[api.Page[api.Undelivered]], err error) {
	if in.Endpoint, err = eitherName(in.Endpoint, in.EndpointID); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"undelivered", in.Tenant, in.Endpoint, string(in.Status)}, " ")
	place, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	found, next, err := g.waiting.List(ctx, orchestrator.WaitingFilter{Tenant: in.Tenant, EndpointID: in.Endpoint, Status: in.Status}, in.Limit, place)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, d := range found {
		ids[i] = d.Report.EndpointID
	}
	names := g.names(ctx, in.Tenant, ids)
	page := api.Page[api.Undelivered]{Data: make([]api.Undelivered, len(found)), NextCursor: g.newCursor(list, next)}
	for i, d := range found {
		page.Data[i] = undelivered(d)
		page.Data[i].Endpoint, page.Data[i].Reason = names[d.Report.EndpointID], reasonFor(ctx, page.Data[i].Reason)
	}
	return &answerOf[api.Page[api.Undelivered]]{Body: page}, nil
}

func undelivered(d orchestrator.WaitingItem) api.Undelivered {
	u := api.Undelivered{
		EventID: d.EventID, EventType: d.EventType, EndpointID: d.Report.EndpointID, Status: d.Report.Status, Reason: d.Report.Reason,
		AcceptedAt: d.AcceptedAt, NextAttemptAt: d.Report.NextAttemptAt, WorkflowID: d.Report.WorkflowID,
	}
	if n := len(d.Report.Attempts); n > 0 {
		last := d.Report.Attempts[n-1]
		u.Attempts, u.LastAttempt = max(n, last.Number), &last
	}
	return u
}

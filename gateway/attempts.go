package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/confined"
	"hookloop/gateway/problem"
	"hookloop/gateway/stats"
	"hookloop/gateway/wellformed"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
)

// AttemptLog is what is known of attempts, and of endpoints by name. Its errors mean that the
// registry is out of reach.
type AttemptLog interface {
	stats.Log

	// Attempts lists attempts at an endpoint, the newest first.
	Attempts(ctx context.Context, q attemptlog.Query) ([]attemptlog.Row, error)
	// EventsAt lists the events that had a turn at an endpoint, the newest first, those behind
	// from.
	EventsAt(ctx context.Context, tenant, endpointID string, from attemptlog.Position, limit int) ([]attemptlog.Seen, error)
}

// Waiting tells what has not been delivered yet; orchestrator.Waiting does.
type Waiting interface {
	stats.Waiting

	List(ctx context.Context, f orchestrator.WaitingFilter, size int, page []byte) ([]orchestrator.WaitingItem, []byte, error)
}

func (g *Gateway) attemptRoutes(to huma.API) {
	route(g, to, operation{
		id: "list-attempts", tag: tagEndpoints, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/endpoints/{id}/attempts", scope: api.EventsRead,
		summary: "List the attempts at an endpoint",
		text: "The newest first, a second after they were made, for as long as the attempt log keeps them. What was sent and answered the event tells: the log " +
			"holds neither. Histories are the truth; the log is made of them where rows were lost.",
	}, g.listAttempts)
	route(g, to, operation{
		id: "list-undelivered", tag: tagDeliveries, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/undelivered", scope: api.EventsRead, within: getTimeout,
		summary: "What has not been delivered yet, and why",
		text: "Deliveries that go on and that a first attempt did not end, over all endpoints, those that began last first. Each is asked why it waits, and until when. " +
			"A delivery shows up a moment after it began.",
	}, g.listUndelivered)
	route(g, to, operation{
		id: "get-endpoint-stats", tag: tagEndpoints, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/endpoints/{id}/stats", scope: api.EndpointsRead,
		summary: "How an endpoint does",
		text:    "Attempts, how many of them it took and how long they lasted, in all and by the minute or hour.",
	}, g.endpointStats)
	route(g, to, operation{
		id: "get-stats", tag: tagEndpoints, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/stats", scope: api.EndpointsRead,
		summary: "How a tenant's endpoints do",
		text: "Attempts of all endpoints, which are busiest, slowest, failing, held, and what has not been delivered yet. " +
			"Attempts are read from the attempt log, a second behind, the backlog from Temporal's lists, some seconds behind.",
	}, g.tenantStats)
}

type listAttempts struct {
	EndpointPath
	api.AttemptQuery
}

func (g *Gateway) listAttempts(ctx context.Context, in *listAttempts) (*answerOf[api.Page[api.AttemptItem]], error) {
	q := attemptlog.Query{Tenant: in.Tenant, EndpointID: in.ID, Failed: in.Failed, Limit: in.Limit + 1}
	var err error
	if q.After, q.Before, err = wellformed.Period(in.After, in.Before, g.cfg.Now()); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"attempts", in.Tenant, in.ID, fmt.Sprint(in.Failed), in.After, in.Before}, " ")
	if q.From, err = g.openPosition(list, in.Cursor); err != nil {
		return nil, err
	}
	if _, err := g.endpoint(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	found, err := g.cfg.Attempts.Attempts(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("attempts: %w", problem.Registry(err))
	}
	found, next := cut(found, in.Limit, func(r attemptlog.Row) []byte { return position(r.Position()) })
	return page(found, g.newCursor(list, next), func(r attemptlog.Row) api.AttemptItem {
		return api.AttemptItem{
			EventID: r.EventID, EventType: r.EventType, Number: r.Number, At: r.At, Outcome: r.Outcome,
			StatusCode: r.StatusCode, DurationMS: r.DurationMS, Failure: r.Failure, Error: r.Error,
		}
	}), nil
}

type listUndelivered struct {
	TenantPath
	api.UndeliveredQuery
}

func (g *Gateway) listUndelivered(ctx context.Context, in *listUndelivered) (_ *answerOf[api.Page[api.Undelivered]], err error) {
	if in.Endpoint, err = wellformed.OneEndpoint(in.Endpoint, in.EndpointID); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"undelivered", in.Tenant, in.Endpoint, string(in.Status)}, " ")
	position, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := g.cfg.Waiting.List(ctx, orchestrator.WaitingFilter{Tenant: in.Tenant, EndpointID: in.Endpoint, Status: in.Status}, in.Limit, position)
	if err != nil {
		return nil, err
	}
	names := g.stats.Names(ctx, in.Tenant, idsOf(found, func(d orchestrator.WaitingItem) string { return d.Report.EndpointID }))
	return page(found, g.newCursor(list, next), func(d orchestrator.WaitingItem) api.Undelivered {
		shown := undelivered(d)
		shown.Endpoint, shown.Reason = names[d.Report.EndpointID], confined.Reason(ctx, shown.Reason)
		return shown
	}), nil
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

type endpointStats struct {
	EndpointPath
	api.StatsQuery
}

func (g *Gateway) endpointStats(ctx context.Context, in *endpointStats) (*answerOf[api.EndpointStats], error) {
	if _, err := g.endpoint(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	return answered(g.stats.Endpoint(ctx, in.Tenant, in.ID, in.StatsQuery))
}

type tenantStats struct {
	TenantPath
	api.TenantStatsQuery
}

func (g *Gateway) tenantStats(ctx context.Context, in *tenantStats) (*answerOf[api.TenantStats], error) {
	return answered(g.stats.Tenant(ctx, in.Tenant, in.TenantStatsQuery))
}

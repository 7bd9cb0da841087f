package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/audit"
	"hookloop/internal/webhook"
)

// Audits read trails.
type Audits interface {
	// Event gives a part of an event's trail; after is the Next of the part before. The error
	// carries webhook.NotFound when there is none; one without a code is an awayError, or ours.
	Event(ctx context.Context, tenant, id string, after []byte) (audit.Page, error)
	// Tenant gives a part of the trail of all that is a tenant's, in the same way.
	Tenant(ctx context.Context, tenant string, q webhook.AuditQuery, after []byte) (audit.Page, error)
}

func (g *Gateway) auditRoutes(to huma.API) {
	route(g, to, operation{
		id: "get-event-audit", tag: tagAudit, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/events/{id}/audit", scope: api.AuditRead, within: getTimeout,
		summary: "What happened to an event, line by line",
		text: "Who, what, when, which answer, who decided: from the histories of its workflow and those of its deliveries, for as long as Temporal keeps them; beside them the " +
			"episodes of the endpoints it had trouble with, and from the change log what became of those endpoints meanwhile. The oldest line comes first. " +
			"A page has what belongs to a hundred workflows of deliveries; the first one also the event's own lines.",
	}, g.getAudit)
	route(g, to, operation{
		id: "list-audit", tag: tagAudit, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/audit", scope: api.AuditRead, within: getTimeout,
		summary: "What happened to everything, line by line",
		text: "First what the change log says of settings and of who read secrets and payloads; then what the histories of events, deliveries, recoveries and approvals say, for as " +
			"long as Temporal keeps them. A page has up to 500 lines of the log, or the lines of a hundred workflows, fewer with `limit`, the oldest first: first of those that still run, then of those that " +
			"have ended, the latest first. One that ends between two pages may be on both. The change log finds the lines of one actor, endpoint, source, kind or status by an index; of " +
			"histories, all of the period are read.",
	}, g.listAudit)
}

type getAudit struct {
	EventPath
	api.CursorQuery
}

type listAudit struct {
	TenantPath
	api.AuditQuery
}

func (g *Gateway) getAudit(ctx context.Context, in *getAudit) (*answerOf[api.AuditPage], error) {
	list := "audit " + in.Tenant + " " + in.ID
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := g.cfg.Audits.Event(ctx, in.Tenant, in.ID, after)
	if webhook.CodeOf(err) == webhook.NotFound {
		return nil, problem.NoSuch("event")
	}
	if err != nil {
		return nil, fmt.Errorf("audit of event %s: %w", in.ID, err)
	}
	return g.trailPage(list, p), nil
}

func (g *Gateway) listAudit(ctx context.Context, in *listAudit) (*answerOf[api.AuditPage], error) {
	q := webhook.AuditQuery{Kind: in.Kind, Actor: in.Actor, EndpointID: in.EndpointID, SourceID: in.SourceID, Status: in.Status, Runs: in.Limit}
	if err := checkKind(in.Kind); err != nil {
		return nil, err
	}
	var err error
	if q.After, q.Before, err = wellformed.Period(in.After, in.Before, g.cfg.Now()); err != nil {
		return nil, err
	}
	list := fmt.Sprintf("audit %s %q", in.Tenant, []string{in.After, in.Before, string(in.Kind), in.Actor, in.EndpointID, in.SourceID, in.Status})
	position, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := g.cfg.Audits.Tenant(ctx, in.Tenant, q, position)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return g.trailPage(list, page), nil
}

func checkKind(k api.AuditKind) error {
	if k == "" || slices.ContainsFunc(api.AuditKinds(), func(m api.AuditMeaning) bool { return m.Kind == k }) {
		return nil
	}
	return webhook.Invalidf("kind", "is none of the kinds that a line has; docs/audit.md lists them")
}

// recordRead notes who reads a secret or a payload, before it is shown: what cannot be noted is not
// shown. The line's time and actor are added.
func (g *Gateway) recordRead(ctx context.Context, tenant string, l webhook.AuditLine) error {
	if err := g.cfg.Registry.Record(ctx, tenant, l); err != nil {
		return fmt.Errorf("%s: %w", l.Kind, problem.Registry(err))
	}
	return nil
}

func (g *Gateway) trailPage(list string, p audit.Page) *answerOf[api.AuditPage] {
	page := api.AuditPage{Encrypted: p.Encrypted}
	page.NextCursor, page.Data = g.newCursor(list, p.Next), append([]api.AuditLine{}, p.Lines...)
	return &answerOf[api.AuditPage]{Body: page}
}

package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/internal/audit"
	"hookloop/internal/webhook"
)

// Audits read trails.
type Audits interface {
	// Event gives a part of an event's trail; after is the Next of the part before. The error
	// carries webhook.NotFound when there is none; one without a code is an awayError, or ours.
	Event(ctx context.Context, tenant, id string, after []byte) (audit.Page, error)
	// Tenant gives a part of the trail of all that is a tenant's, in the same way.
	Tenant(ctx context.Context, tenant string, period audit.Period, after []byte) (audit.Page, error)
}

func (g *Gateway) auditRoutes(to huma.API) {
	route(g, to, operation{
		id: "get-event-audit", tag: tagAudit, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/events/{id}/audit", scope: api.AuditRead,
		summary: "What happened to an event, line by line",
		text: "Who, what, when, which answer, who decided: read from the histories of its workflow and those of its deliveries, the oldest line first, for as long as Temporal " +
			"keeps them. A page has those of a hundred workflows of deliveries; the first one also the event's own.",
	}, g.getAudit)
	route(g, to, operation{
		id: "list-audit", tag: tagAudit, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/audit", scope: api.AuditRead,
		summary: "What happened to everything, line by line",
		text: "What the histories of events, deliveries, recoveries and approvals say, for as long as Temporal keeps them. A page has the lines of a hundred workflows, " +
			"the oldest first: first of those that still run, then of those that have ended, the latest first. One that ends between two pages may be on both.",
	}, g.listAudit)
}

type getAudit struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	api.CursorQuery
}

type listAudit struct {
	Tenant string `path:"tenant"`
	api.AuditQuery
}

func (g *Gateway) getAudit(ctx context.Context, in *getAudit) (*answerOf[api.AuditPage], error) {
	if !eventID.MatchString(in.ID) {
		return nil, noSuchEvent()
	}
	list := "audit " + in.Tenant + " " + in.ID
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	p, err := g.audits.Event(ctx, in.Tenant, in.ID, after)
	if webhook.CodeOf(err) == webhook.NotFound {
		return nil, noSuchEvent()
	}
	if err != nil {
		return nil, fmt.Errorf("audit of event %s: %w", in.ID, err)
	}
	return g.trailPage(list, p), nil
}

func (g *Gateway) listAudit(ctx context.Context, in *listAudit) (*answerOf[api.AuditPage], error) {
	var p audit.Period
	var err error
	if p.After, p.Before, err = period(in.After, in.Before, g.now()); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"audit", in.Tenant, in.After, in.Before}, " ")
	position, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	page, err := g.audits.Tenant(ctx, in.Tenant, p, position)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return g.trailPage(list, page), nil
}

func (g *Gateway) trailPage(list string, p audit.Page) *answerOf[api.AuditPage] {
	page := api.AuditPage{Encrypted: p.Encrypted}
	page.NextCursor, page.Data = g.newCursor(list, p.Next), make([]api.AuditLine, len(p.Lines))
	for i, l := range p.Lines {
		page.Data[i] = api.AuditLine{
			At: l.At, Kind: l.Kind, Actor: l.Actor, EndpointID: l.EndpointID, Detail: l.Detail, EventID: l.EventID, WorkflowID: l.WorkflowID,
		}
	}
	return &answerOf[api.AuditPage]{Body: page}
}

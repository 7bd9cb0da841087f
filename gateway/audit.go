package gateway

import (
	"context"
	"fmt"
	"strings"

	"hookloop/internal/audit"
	"hookloop/internal/webhook"
)

// Audits read ledgers.
type Audits interface {
	// Event gives a part of an event's ledger; after is the Next of the part before. The error carries
	// webhook.NotFound when there is none; one without a code is an awayError, or ours.
	Event(ctx context.Context, tenant, id string, after []byte) (audit.Page, error)
	// Tenant gives a part of the ledger of all that is a tenant's, in the same way.
	Tenant(ctx context.Context, tenant string, period audit.Period, after []byte) (audit.Page, error)
}

type getAudit struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before."`
}

type listAudit struct {
	Tenant string `path:"tenant"`
	After  string `query:"after" doc:"What happened at this time or later: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Before string `query:"before" doc:"What happened before this time, likewise." example:"2026-01-31T12:00:00Z"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before; the other parameters must be the same."`
}

// auditPage is one page of a ledger.
type auditPage struct {
	Data       []audit.Line `json:"data"`
	Encrypted  bool         `json:"encrypted,omitempty" doc:"Some of it is encrypted with a key that this gateway does not have."`
	NextCursor *string      `json:"next_cursor" nullable:"true" doc:"null on the last page."`
}

func (g *Gateway) getAudit(ctx context.Context, in *getAudit) (*answerOf[auditPage], error) {
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
	return g.ledgerPage(list, p), nil
}

func (g *Gateway) listAudit(ctx context.Context, in *listAudit) (*answerOf[auditPage], error) {
	var p audit.Period
	var err error
	if p.After, p.Before, err = period(in.After, in.Before, g.now()); err != nil {
		return nil, err
	}
	list := strings.Join([]string{"audit", in.Tenant, in.After, in.Before}, " ")
	place, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	page, err := g.audits.Tenant(ctx, in.Tenant, p, place)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return g.ledgerPage(list, page), nil
}

func (g *Gateway) ledgerPage(list string, p audit.Page) *answerOf[auditPage] {
	if p.Lines == nil {
		p.Lines = []audit.Line{}
	}
	return &answerOf[auditPage]{Body: auditPage{Data: p.Lines, Encrypted: p.Encrypted, NextCursor: g.newCursor(list, p.Next)}}
}

package gateway

import (
	"context"
	"fmt"

	"hookloop/internal/audit"
)

// Audits read the ledgers of events.
type Audits interface {
	// Event gives a part of an event's ledger; after is the Next of the part before. Its errors are Temporal's.
	Event(ctx context.Context, tenant, id string, after []byte) (audit.Page, error)
}

type getAudit struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before."`
}

// auditPage is one page of an event's ledger.
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
	after, err := openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	p, err := g.audits.Event(ctx, in.Tenant, in.ID, after)
	if err != nil {
		return nil, fmt.Errorf("audit of event %s: %w", in.ID, temporalErr(err))
	}
	if p.Lines == nil {
		p.Lines = []audit.Line{}
	}
	return &answerOf[auditPage]{Body: auditPage{Data: p.Lines, Encrypted: p.Encrypted, NextCursor: newCursor(list, p.Next)}}, nil
}

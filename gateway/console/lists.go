package console

import (
	"context"

	"hookloop/api"
)

func (c *Console) sources(v *visit) error {
	found, err := v.api.Sources.List(v.page()).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	// What became of what they sent is told of one source alone.
	var asks []func(context.Context) error
	for i := range found.Data {
		asks = append(asks, func(ctx context.Context) (err error) {
			found.Data[i], err = v.api.Sources.Get(found.Data[i].ID).Do(ctx)
			return err
		})
	}
	if err := together(v.r.Context(), asks...); err != nil {
		return err
	}
	return c.show(v, "sources", "Sources", pageOf(v, found))
}

// auditPage is what happened, the oldest line first.
type auditPage struct {
	listPage[api.AuditLine]

	Query api.AuditQuery
}

func (c *Console) audit(v *visit) error {
	q := v.r.URL.Query()
	query := api.AuditQuery{
		After: trimmed(q.Get("after")), Before: trimmed(q.Get("before")),
		CursorQuery: api.CursorQuery{Cursor: q.Get("cursor")},
	}
	if query.After == "" {
		query.After = "24h"
	}
	found, err := v.api.Audit.List(query).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "audit", "Audit", auditPage{listPage: pageOf(v, found), Query: query})
}

package console

import (
	"cmp"

	"hookloop/api"
)

func (c *Console) sources(v *visit) error {
	found, err := v.api.Sources.List(v.page()).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "sources", "Sources", pageOf(v, found))
}

// auditPage is what happened, the oldest line first.
type auditPage struct {
	listPage[api.AuditLine]

	Query api.AuditQuery
}

// audited is of how many workflows a page of the audit tells: each is a history to be read.
const audited = 25

func (c *Console) audit(v *visit) error {
	q := v.r.URL.Query()
	query := api.AuditQuery{
		Limit: audited,
		After: cmp.Or(trimmed(q.Get("after")), "24h"), Before: trimmed(q.Get("before")),
		CursorQuery: api.CursorQuery{Cursor: q.Get("cursor")},
	}
	found, err := v.api.Audit.List(query).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "audit", "Audit", auditPage{listPage: pageOf(v, found), Query: query})
}

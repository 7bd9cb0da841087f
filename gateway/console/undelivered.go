package console

import "hookloop/api"

// undeliveredPage is what has not been delivered yet, and why.
type undeliveredPage struct {
	listPage[api.Undelivered]

	Query    api.UndeliveredQuery
	Statuses []api.DeliveryStatus
	Stats    *api.TenantStats // nil: the token may not see endpoints
}

// asks is how many deliveries the page lists: each is asked of its workflow.
const asks = 25

func (c *Console) undelivered(v *visit) error {
	q := v.r.URL.Query()
	query := api.UndeliveredQuery{
		Endpoint: trimmed(q.Get("endpoint")), Status: api.DeliveryStatus(q.Get("status")), Limit: asks, CursorQuery: api.CursorQuery{Cursor: q.Get("cursor")},
	}
	found, err := v.api.Undelivered(query).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	p := undeliveredPage{
		listPage: pageOf(v, found), Query: query,
		Statuses: []api.DeliveryStatus{api.DeliveryPending, api.DeliveryRetrying, api.DeliveryHeld},
	}
	if v.who.Holds(api.EndpointsRead) {
		s, err := v.api.Stats(api.TenantStatsQuery{Top: 1}).Do(v.r.Context())
		if err != nil {
			return err
		}
		p.Stats = &s
	}
	return c.show(v, "undelivered", "Undelivered, and why", p)
}

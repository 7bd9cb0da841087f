package quota

import (
	"time"

	"golang.org/x/time/rate"
)

// What one who acts for the owner of endpoints may ask of a gateway: enough for people who click,
// and for a page that looks for news; too little to take the tenant's share from its apps.
const (
	portalReadsPerSecond = 10
	portalReadsAtOnce    = 100
	portalActsEvery      = 2 * time.Second
	portalActsAtOnce     = 20
)

// portalBuckets are those of one link, or of one token that is confined to endpoints.
type portalBuckets struct{ reads, acts *rate.Limiter }

// Portal takes one request of a person who acts for the owner of endpoints; acts says that it
// changes or sends something. The error is a *Refusal.
func (q *Quotas) Portal(tenant, who string, acts bool) error {
	b := q.portalOf(tenant + "\n" + who)
	if wait := take(b.reads, q.now(), 1); wait > 0 {
		return q.refuse(&Refusal{Quota: PortalRequests, Limit: portalReadsPerSecond, Window: time.Second, Retry: wait})
	}
	if !acts {
		return nil
	}
	if wait := take(b.acts, q.now(), 1); wait > 0 {
		return q.refuse(&Refusal{Quota: PortalRequests, Limit: 1, Window: portalActsEvery, Retry: wait})
	}
	return nil
}

func (q *Quotas) portalOf(key string) *portalBuckets {
	q.mu.Lock()
	defer q.mu.Unlock()
	b, known := q.portals.Get(key)
	if !known {
		b = &portalBuckets{rate.NewLimiter(portalReadsPerSecond, portalReadsAtOnce), rate.NewLimiter(rate.Every(portalActsEvery), portalActsAtOnce)}
		q.portals.Add(key, b)
	}
	return b
}

package quota

import (
	"time"

	"golang.org/x/time/rate"
)

// buckets are one tenant's.
type buckets struct{ posts, bytes *rate.Limiter }

// of gives a tenant's buckets, as large as this gateway's share is now.
func (q *Quotas) of(tenant string) (Limits, *buckets) {
	l, n := q.table.Of(tenant), float64(q.gateways.Load())
	posts, bytes := l.PostsPerSecond/n, float64(l.BytesPerDay)/n
	q.mu.Lock()
	defer q.mu.Unlock()
	b, known := q.tenants.Get(tenant)
	if !known {
		b = &buckets{rate.NewLimiter(rate.Limit(posts), atLeastOne(posts*burst)), rate.NewLimiter(rate.Limit(bytes/day.Seconds()), atLeastOne(bytes))}
		q.tenants.Add(tenant, b)
		return l, b
	}
	if b.posts.Limit() != rate.Limit(posts) { // another gateway came or went
		now := q.now()
		b.posts.SetLimitAt(now, rate.Limit(posts))
		b.posts.SetBurstAt(now, atLeastOne(posts*burst))
		b.bytes.SetLimitAt(now, rate.Limit(bytes/day.Seconds()))
		b.bytes.SetBurstAt(now, atLeastOne(bytes))
	}
	return l, b
}

func atLeastOne(n float64) int { return max(int(n), 1) }

// share is what of a number this gateway has: at least one.
func (q *Quotas) share(n int) int {
	all := int(q.gateways.Load())
	return max((n+all-1)/all, 1)
}

// rateOf writes a rate as so many in a time of whole seconds.
func rateOf(perSecond float64) (int64, time.Duration) {
	if perSecond >= 1 {
		return int64(perSecond), time.Second
	}
	return 1, time.Duration(1/perSecond) * time.Second
}

// take takes n tokens, or as many as can ever lie in the bucket, or says after how long they will.
func take(l *rate.Limiter, now time.Time, n int) time.Duration {
	r := l.ReserveN(now, min(n, l.Burst()))
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

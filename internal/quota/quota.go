// Package quota bounds what each tenant may ask of a gateway, so that none takes the machine or the database
// from the others: token buckets in the process, of which every gateway that serves has its share (ADR 18). It
// decides whether a tenant may; the gateway asks before it does anything, and says what the client reads.
package quota

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"hookloop/internal/places"
)

// The quotas, as metrics and clients name them.
const (
	Posts          = "posts"
	Bytes          = "bytes"
	Reads          = "reads"
	Endpoints      = "endpoints"
	Sources        = "sources"
	OpenDeliveries = "open-deliveries"
)

const (
	day = 24 * time.Hour
	// burst is how many seconds' worth of posts may come at once.
	burst = 2
	// readPatience is how long a read waits for those of other tenants.
	readPatience = 10 * time.Second
	// keptTenants bounds the tenants whose buckets are kept. One beyond begins with full ones.
	keptTenants = 10_000
)

// Refusal says that a tenant has had what it may ask for, or that there is too much to do for others. It is worth
// another try.
type Refusal struct {
	Quota  string
	Limit  int64         // how many there may be
	Window time.Duration // in which; zero: at any time
	Retry  time.Duration // when there should be room
	Busy   bool          // the machine is, and not the tenant's quota spent
}

func (r *Refusal) Error() string { return fmt.Sprintf("the quota of %s is spent", r.Quota) }

// Config is what Quotas are made of. All of it may be left out.
type Config struct {
	Table   Table
	Readers int                                                     // costly reads that are worked at together; 0: as many as there are processors, two at least
	Open    func(ctx context.Context, tenant string) (int64, error) // counts a tenant's open deliveries; nil: they are not bounded
	Metrics prometheus.Registerer
	Now     func() time.Time // time.Now
}

// Quotas keep what each tenant has left. They are safe for concurrent use.
type Quotas struct {
	table    Table
	now      func() time.Time
	gateways atomic.Int64 // that share the quotas
	readers  *places.Places
	open     *counts
	refused  *prometheus.CounterVec

	mu      sync.Mutex
	tenants *lru.Cache[string, *buckets]
	reading map[string]int
}

// buckets are one tenant's.
type buckets struct{ posts, bytes *rate.Limiter }

// New makes Quotas. Its only error is a metric that is registered already.
func New(c Config) (*Quotas, error) {
	q := &Quotas{table: c.Table, now: c.Now, open: newCounts(c.Open), reading: map[string]int{}, refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_quota_refusals_total", Help: "Requests that were refused because their tenant's quota was spent, or, of reads, because there was too much to do for others.",
	}, []string{"quota"})}
	if c.Readers == 0 {
		c.Readers = max(runtime.GOMAXPROCS(0), 2)
	}
	q.readers = places.New(c.Readers, readPatience)
	if q.now == nil {
		q.now = time.Now
	}
	for _, name := range []string{Posts, Bytes, Reads, Endpoints, Sources, OpenDeliveries} {
		q.refused.WithLabelValues(name) // shown from the start
	}
	q.gateways.Store(1)
	q.tenants, _ = lru.New[string, *buckets](keptTenants) // fails for no size above zero
	if c.Metrics == nil {
		return q, nil
	}
	if err := c.Metrics.Register(q.refused); err != nil {
		return nil, fmt.Errorf("quotas: metrics: %w", err)
	}
	return q, nil
}

// Post takes so many posts of a tenant, and says whether it may begin any at all: a batch that is larger than a
// burst takes what there is. The error is a *Refusal; then nothing was taken.
func (q *Quotas) Post(tenant string, n int) error {
	l, b := q.of(tenant)
	if open, known := q.open.of(tenant, q.now()); known && open >= l.OpenDeliveries {
		return q.refuse(&Refusal{Quota: OpenDeliveries, Limit: l.OpenDeliveries, Retry: countEvery})
	}
	if wait := take(b.posts, q.now(), n); wait > 0 {
		limit, window := rateOf(l.PostsPerSecond)
		return q.refuse(&Refusal{Quota: Posts, Limit: limit, Window: window, Retry: wait})
	}
	return nil
}

// rateOf writes a rate as so many in a time of whole seconds.
func rateOf(perSecond float64) (int64, time.Duration) {
	if perSecond >= 1 {
		return int64(perSecond), time.Second
	}
	return 1, time.Duration(1/perSecond) * time.Second
}

// Bytes takes so many of a tenant's day. The error is a *Refusal; then nothing was taken.
func (q *Quotas) Bytes(tenant string, n int) error {
	l, b := q.of(tenant)
	if wait := take(b.bytes, q.now(), n); wait > 0 {
		return q.refuse(&Refusal{Quota: Bytes, Limit: l.BytesPerDay, Window: day, Retry: wait})
	}
	return nil
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

// Read waits until a costly read may be worked at; done says that it was. The error is a *Refusal or ctx's.
func (q *Quotas) Read(ctx context.Context, tenant string) (done func(), err error) {
	most := q.share(q.table.Of(tenant).Reads)
	q.mu.Lock()
	spent := q.reading[tenant] >= most
	if !spent {
		q.reading[tenant]++
	}
	q.mu.Unlock()
	if spent {
		return nil, q.refuse(&Refusal{Quota: Reads, Limit: int64(q.table.Of(tenant).Reads), Retry: time.Second})
	}
	if err := q.readers.Take(ctx, tenant); err != nil {
		q.left(tenant)
		if errors.Is(err, places.ErrFull) {
			err = q.refuse(&Refusal{Quota: Reads, Limit: int64(q.table.Of(tenant).Reads), Retry: time.Second, Busy: true})
		}
		return nil, err
	}
	return func() {
		q.readers.GiveBack(tenant)
		q.left(tenant)
	}, nil
}

func (q *Quotas) left(tenant string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.reading[tenant]--; q.reading[tenant] == 0 {
		delete(q.reading, tenant)
	}
}

// Room says whether a tenant that has so many endpoints or sources may have one more. The error is a *Refusal.
func (q *Quotas) Room(tenant, quota string, has int) error {
	most := q.table.Of(tenant).Endpoints
	if quota == Sources {
		most = q.table.Of(tenant).Sources
	}
	if has < most {
		return nil
	}
	return q.refuse(&Refusal{Quota: quota, Limit: int64(most), Retry: time.Minute})
}

// Limits are those of a tenant, of all gateways together.
func (q *Quotas) Limits(tenant string) Limits { return q.table.Of(tenant) }

func (q *Quotas) refuse(r *Refusal) error {
	q.refused.WithLabelValues(r.Quota).Inc()
	return r
}

// of gives a tenant's buckets, as large as this gateway's share is now.
func (q *Quotas) of(tenant string) (Limits, *buckets) {
	l, n := q.table.Of(tenant), float64(q.gateways.Load())
	posts, bytes := l.PostsPerSecond/n, float64(l.BytesPerDay)/n
	q.mu.Lock()
	defer q.mu.Unlock()
	b, known := q.tenants.Get(tenant)
	if !known {
		b = &buckets{rate.NewLimiter(rate.Limit(posts), wholly(posts*burst)), rate.NewLimiter(rate.Limit(bytes/day.Seconds()), wholly(bytes))}
		q.tenants.Add(tenant, b)
		return l, b
	}
	if b.posts.Limit() != rate.Limit(posts) { // another gateway came or went
		now := q.now()
		b.posts.SetLimitAt(now, rate.Limit(posts))
		b.posts.SetBurstAt(now, wholly(posts*burst))
		b.bytes.SetLimitAt(now, rate.Limit(bytes/day.Seconds()))
		b.bytes.SetBurstAt(now, wholly(bytes))
	}
	return l, b
}

func wholly(n float64) int { return max(int(n), 1) }

// share is what of a number this gateway has: at least one.
func (q *Quotas) share(n int) int {
	all := int(q.gateways.Load())
	return max((n+all-1)/all, 1)
}

// Package quota bounds what each tenant may ask of a gateway, so that none takes the machine or the
// database from the others: token buckets in the process, of which every gateway that serves has
// its share (ADR 18). It decides whether a tenant may; the gateway asks before it does anything,
// and says what the client reads.
package quota

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

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
	PortalLinks    = "portal-links"
	PortalRequests = "portal-requests"
)

const (
	day = 24 * time.Hour
	// burst is how many seconds' worth of posts may come at once.
	burst = 2
	// readPatience is how long a read waits for the reads of other tenants.
	readPatience = 10 * time.Second
	// keptTenants bounds the tenants whose buckets are kept. A forgotten tenant begins with full
	// ones.
	keptTenants = 10_000
)

// Refusal says that a tenant's quota is spent, or that other tenants keep the machine busy. The
// request is worth another try.
type Refusal struct {
	Quota  string
	Limit  int64         // how many there may be
	Window time.Duration // in which; zero: at any time
	Retry  time.Duration // when there should be room
	Busy   bool          // the machine is busy; the quota is not spent
}

func (r *Refusal) Error() string { return fmt.Sprintf("the quota of %s is spent", r.Quota) }

// Config is what Quotas are made of. All of it may be left out.
type Config struct {
	Table Table
	// Readers is how many costly reads run together; 0: as many as there are processors, two at
	// least.
	Readers int
	// Open counts a tenant's open deliveries; nil: they are not bounded.
	Open    func(ctx context.Context, tenant string) (int64, error)
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
	portals *lru.Cache[string, *portalBuckets]
	reading map[string]int
}

// New makes Quotas. Its only error is a metric that is registered already.
func New(c Config) (*Quotas, error) {
	q := &Quotas{table: c.Table, now: c.Now, open: newCounts(c.Open), reading: map[string]int{}, refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_quota_refusals_total", Help: "Requests that were refused because their tenant's quota was spent, or, of reads, because there was too much to do for others.",
	}, []string{"quota"})}
	q.readers = places.New(cmp.Or(c.Readers, max(runtime.GOMAXPROCS(0), 2)), readPatience)
	if q.now == nil {
		q.now = time.Now
	}
	for _, name := range []string{Posts, Bytes, Reads, Endpoints, Sources, OpenDeliveries, PortalLinks, PortalRequests} {
		q.refused.WithLabelValues(name) // shown from the start
	}
	q.gateways.Store(1)
	q.tenants, _ = lru.New[string, *buckets](keptTenants) // fails for no size above zero
	q.portals, _ = lru.New[string, *portalBuckets](keptTenants)
	if c.Metrics == nil {
		return q, nil
	}
	if err := c.Metrics.Register(q.refused); err != nil {
		return nil, fmt.Errorf("quotas: metrics: %w", err)
	}
	return q, nil
}

// Post takes n posts of a tenant's quota. A batch that is larger than a burst takes what a burst
// holds. The error is a *Refusal; then nothing was taken.
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

// Bytes takes n bytes of a tenant's day. The error is a *Refusal; then nothing was taken.
func (q *Quotas) Bytes(tenant string, n int) error {
	l, b := q.of(tenant)
	if wait := take(b.bytes, q.now(), n); wait > 0 {
		return q.refuse(&Refusal{Quota: Bytes, Limit: l.BytesPerDay, Window: day, Retry: wait})
	}
	return nil
}

// Read waits until a costly read may begin; the caller calls done when it has ended. The error is a
// *Refusal or ctx's.
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
		q.endRead(tenant)
		if errors.Is(err, places.ErrFull) {
			err = q.refuse(&Refusal{Quota: Reads, Limit: int64(q.table.Of(tenant).Reads), Retry: time.Second, Busy: true})
		}
		return nil, err
	}
	return func() {
		q.readers.GiveBack(tenant)
		q.endRead(tenant)
	}, nil
}

func (q *Quotas) endRead(tenant string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.reading[tenant]--; q.reading[tenant] == 0 {
		delete(q.reading, tenant)
	}
}

// Room says whether a tenant that has so many endpoints, sources or live portal links may have one
// more. The error is
// a *Refusal.
func (q *Quotas) Room(tenant, quota string, has int) error {
	l := q.table.Of(tenant)
	most := map[string]int{Endpoints: l.Endpoints, Sources: l.Sources, PortalLinks: l.PortalLinks}[quota]
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

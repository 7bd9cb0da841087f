package quota_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"hookloop/internal/quota"
)

func table(l quota.Limits) quota.Table { return quota.Table{Default: l} }

func newQuotas(t *testing.T, c quota.Config) *quota.Quotas {
	t.Helper()
	q, err := quota.New(c)
	require.NoError(t, err)
	return q
}

// requireSpent checks a refusal.
func requireSpent(t *testing.T, err error, name string) {
	t.Helper()
	r := spent(t, err)
	require.Equal(t, name, r.Quota)
	require.Positive(t, r.Retry)
}

func spent(t *testing.T, err error) quota.Refusal {
	t.Helper()
	var r *quota.Refusal
	require.ErrorAs(t, err, &r)
	return *r
}

// TestPosts: a burst, then a rate, for each tenant by itself; what was told to wait comes through
// afterwards.
func TestPosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		metrics := prometheus.NewRegistry()
		q := newQuotas(t, quota.Config{Table: table(quota.Limits{PostsPerSecond: 5}), Metrics: metrics})
		for range 10 {
			require.NoError(t, q.Post("acme", 1))
		}
		for range 100 { // a refusal takes nothing
			r := spent(t, q.Post("acme", 1))
			require.Equal(t, quota.Posts, r.Quota)
			require.EqualValues(t, 5, r.Limit)
			require.Equal(t, time.Second, r.Window)
			require.LessOrEqual(t, r.Retry, time.Second/5)
		}
		require.NoError(t, q.Post("other", 1))
		time.Sleep(time.Second / 5)
		require.NoError(t, q.Post("acme", 1))
		require.Error(t, q.Post("acme", 1))
		time.Sleep(2 * time.Second)
		require.NoError(t, q.Post("acme", 1_000_000), "a batch takes what there is")
		require.Error(t, q.Post("acme", 1))
		require.InDelta(t, 102, testutil.ToFloat64(counter(t, metrics)), 0)
	})
}

func counter(t *testing.T, r *prometheus.Registry) prometheus.Gauge {
	t.Helper()
	all, err := r.Gather()
	require.NoError(t, err)
	sum := prometheus.NewGauge(prometheus.GaugeOpts{Name: "sum"})
	for _, f := range all {
		for _, m := range f.GetMetric() {
			sum.Add(m.GetCounter().GetValue())
		}
	}
	return sum
}

func TestBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQuotas(t, quota.Config{Table: table(quota.Limits{BytesPerDay: 86_400})})
		require.NoError(t, q.Bytes("acme", 86_000))
		r := spent(t, q.Bytes("acme", 500))
		require.Equal(t, quota.Bytes, r.Quota)
		require.Equal(t, 100*time.Second, r.Retry)
		require.Equal(t, 24*time.Hour, r.Window)
		time.Sleep(r.Retry)
		require.NoError(t, q.Bytes("acme", 500))
	})
}

// TestReads: a tenant has so many in flight, and leaves room for another's.
func TestReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQuotas(t, quota.Config{Table: table(quota.Limits{Reads: 3}), Readers: 2})
		first, err := q.Read(t.Context(), "acme")
		require.NoError(t, err)
		got := make(chan error, 2)
		for range 2 { // they wait: one reads at a time
			go func() {
				done, err := q.Read(t.Context(), "acme")
				got <- err
				done()
			}()
		}
		synctest.Wait()
		require.Empty(t, got)
		_, err = q.Read(t.Context(), "acme")
		requireSpent(t, err, quota.Reads)
		require.False(t, spent(t, err).Busy)
		other, err := q.Read(t.Context(), "other")
		require.NoError(t, err)
		other()
		first()
		require.NoError(t, <-got)
		require.NoError(t, <-got)
		again, err := q.Read(t.Context(), "acme")
		require.NoError(t, err)
		again()
	})
}

// TestBusyReaders: where others' reads take too long, that is not the tenant's quota.
func TestBusyReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQuotas(t, quota.Config{Readers: 2})
		for _, tenant := range []string{"a", "b"} {
			done, err := q.Read(t.Context(), tenant)
			require.NoError(t, err)
			defer done()
		}
		_, err := q.Read(t.Context(), "c")
		requireSpent(t, err, quota.Reads)
		require.True(t, spent(t, err).Busy)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = q.Read(ctx, "c")
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestOpenDeliveries: a count is made beside the posts, now and then, and holds until the next.
func TestOpenDeliveries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var open, asked atomic.Int64
		var down atomic.Bool
		open.Store(100)
		q := newQuotas(t, quota.Config{Table: table(quota.Limits{OpenDeliveries: 100}), Open: func(_ context.Context, tenant string) (int64, error) {
			asked.Add(1)
			if down.Load() {
				return 0, errors.New("down")
			}
			if tenant == "acme" {
				return open.Load(), nil
			}
			return 0, nil
		}})
		require.NoError(t, q.Post("acme", 1), "not counted yet")
		require.NoError(t, q.Post("other", 1))
		synctest.Wait()
		for range 10 {
			requireSpent(t, q.Post("acme", 1), quota.OpenDeliveries)
			require.NoError(t, q.Post("other", 1))
		}
		require.EqualValues(t, 2, asked.Load())
		open.Store(99)
		down.Store(true)
		time.Sleep(time.Minute)
		require.Error(t, q.Post("acme", 1))
		synctest.Wait()
		require.Error(t, q.Post("acme", 1), "what was counted holds")
		down.Store(false)
		time.Sleep(time.Minute)
		require.Error(t, q.Post("acme", 1))
		synctest.Wait()
		require.NoError(t, q.Post("acme", 1))
	})
}

func TestRoom(t *testing.T) {
	t.Parallel()
	q := newQuotas(t, quota.Config{Table: quota.Table{Default: quota.Limits{Endpoints: 2}, Tenants: map[string]quota.Limits{"acme": {Endpoints: 5, Sources: 1}}}})
	require.NoError(t, q.Room("acme", quota.Endpoints, 4))
	requireSpent(t, q.Room("acme", quota.Endpoints, 5), quota.Endpoints)
	requireSpent(t, q.Room("other", quota.Endpoints, 2), quota.Endpoints)
	requireSpent(t, q.Room("acme", quota.Sources, 1), quota.Sources)
	require.NoError(t, q.Room("other", quota.Sources, 999))
}

// census counts what it is told.
type census struct{ n atomic.Int64 }

func (c *census) Gateways(context.Context, string) (int, error) {
	if n := c.n.Load(); n > 0 {
		return int(n), nil
	}
	return 0, errors.New("down")
}

// TestGatewaysShare: each has its share, and keeps it while the census is out of reach.
func TestGatewaysShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQuotas(t, quota.Config{Table: table(quota.Limits{PostsPerSecond: 40, BytesPerDay: 1000, Reads: 5})})
		may := func() (n int) {
			for q.Post("acme", 1) == nil {
				n++
			}
			return n
		}
		require.Equal(t, 80, may())
		var c census
		c.n.Store(4)
		ctx, stop := context.WithCancel(t.Context())
		go q.Run(ctx, &c)
		synctest.Wait()
		time.Sleep(time.Minute)
		require.Equal(t, 20, may())
		require.NoError(t, q.Bytes("other", 1000), "what is larger than the share takes all of it")
		require.Error(t, q.Bytes("other", 1))
		c.n.Store(0)
		time.Sleep(time.Minute)
		require.Equal(t, 20, may())
		c.n.Store(1)
		time.Sleep(time.Minute)
		may() // a bucket grows when it is next asked
		time.Sleep(time.Minute)
		require.Equal(t, 80, may())
		stop()
		synctest.Wait()
	})
}

func TestReadTable(t *testing.T) {
	t.Parallel()
	got, err := quota.ReadTable([]byte(`{"default":{"posts_per_second":7},"tenants":{"acme":{"reads":3}}}`))
	require.NoError(t, err)
	usual := quota.Defaults()
	usual.PostsPerSecond = 7
	require.Equal(t, usual, got.Of("other"))
	usual.Reads = 3
	require.Equal(t, usual, got.Of("acme"))
	for _, bad := range []string{``, `[]`, `{"tenant":{}}`, `{"default":{"posts":1}}`, `{"default":{"reads":-1}}`, `{"tenants":{"a":{"bytes_per_day":-1}}}`} {
		_, err := quota.ReadTable([]byte(bad))
		require.Error(t, err, bad)
	}
	for _, name := range []string{"posts_per_second", "bytes_per_day", "reads", "endpoints", "sources", "open_deliveries", "portal_links"} {
		_, err := quota.ReadTable([]byte(`{"default":{"` + name + `":-1}}`))
		require.ErrorContains(t, err, "a limit is negative", name)
	}
}

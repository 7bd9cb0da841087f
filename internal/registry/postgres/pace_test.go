package postgres_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/webhook"
)

// TestPassOfSeveralWorkers: a limit holds in sum, whichever worker a delivery comes back to, and
// all come through. By the server's clock, which is the one that Pass asks.
func TestPassOfSeveralWorkers(t *testing.T) {
	t.Parallel()
	const events = 60
	limit := webhook.RateLimit{PerSecond: 40, Burst: 4}
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	workers := []*postgres.Registry{d.registry(t, sealer), d.registry(t, sealer), d.registry(t, sealer)}
	require.NoError(t, workers[0].CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))

	var all sync.WaitGroup
	var passed atomic.Int32
	begun := d.clock(t)
	for n := range events {
		all.Go(func() {
			event := fmt.Sprintf("evt_%d", n)
			for turn := n; ; turn++ {
				wait, err := workers[turn%len(workers)].Pass(t.Context(), "acme", "ep_1", event, limit)
				if err != nil {
					t.Error(err)
					return
				}
				if wait == 0 {
					passed.Add(1)
					return
				}
				select {
				case <-time.After(wait): // what a worker does
				case <-t.Context().Done():
				}
			}
		})
	}
	all.Wait()
	took := d.clock(t) - begun
	require.EqualValues(t, events, passed.Load())
	least := time.Duration(float64(events-limit.Burst) / limit.PerSecond * float64(time.Second))
	t.Logf("%d attempts in %s, %s by the limit", events, took.Round(time.Millisecond), least)
	require.GreaterOrEqual(t, took, least-webhook.SlotTolerance, "never faster than the limit")
	require.Empty(t, query(t, d.connect(t), "SELECT event_id FROM slots"))
}

// clock is the server's.
func (d database) clock(t *testing.T) time.Duration {
	t.Helper()
	const now = "SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint::text"
	n, err := strconv.ParseInt(query(t, d.connect(t), now)[0], 10, 64)
	require.NoError(t, err)
	return time.Duration(n) * time.Microsecond
}

// seldom lets one delivery pass in twelve days: on a busy machine too, none gets a token that was
// not there at first.
const (
	seldom    = 1e-6 // a second
	seldomGap = 1_000_000_000_000 * time.Microsecond
)

// TestSlotsOfSeveralWorkers: a limit is used up, for the slots that workers deal together follow
// each other without a gap.
func TestSlotsOfSeveralWorkers(t *testing.T) {
	t.Parallel()
	const events = 60
	limit := webhook.RateLimit{PerSecond: seldom, Burst: 4}
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	workers := []*postgres.Registry{d.registry(t, sealer), d.registry(t, sealer), d.registry(t, sealer)}
	require.NoError(t, workers[0].CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))

	var all sync.WaitGroup
	var passed atomic.Int32
	for n := range events {
		all.Go(func() {
			wait, err := workers[n%len(workers)].Pass(t.Context(), "acme", "ep_1", fmt.Sprintf("evt_%d", n), limit)
			if err != nil {
				t.Error(err)
			}
			if wait == 0 {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, limit.Burst, passed.Load())
	gaps := d.gaps(t)
	require.Len(t, gaps, events-limit.Burst-1)
	for _, gap := range gaps {
		require.Equal(t, seldomGap, gap)
	}
}

// gaps are what lies between one slot and the next.
func (d database) gaps(t *testing.T) (all []time.Duration) {
	t.Helper()
	for _, gap := range query(t, d.connect(t), "SELECT (at - lag(at) OVER (ORDER BY at))::text FROM slots ORDER BY at OFFSET 1") {
		n, err := strconv.ParseInt(gap, 10, 64)
		require.NoError(t, err)
		all = append(all, time.Duration(n)*time.Microsecond)
	}
	return all
}

func TestPassKeepsASlot(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	limit := webhook.RateLimit{PerSecond: seldom, Burst: 1}
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	pass := func(event string) time.Duration {
		wait, err := r.Pass(t.Context(), "acme", "ep_1", event, limit)
		require.NoError(t, err)
		return wait
	}
	require.Zero(t, pass("evt_1"))
	first, second := pass("evt_2"), pass("evt_3")
	require.Positive(t, first)
	require.LessOrEqual(t, first, seldomGap)
	require.Greater(t, second, first)
	require.Equal(t, []time.Duration{seldomGap}, d.gaps(t))
	require.Less(t, pass("evt_2"), first, "who comes too early keeps its slot")
	require.Equal(t, []time.Duration{seldomGap}, d.gaps(t))
	require.Greater(t, pass("evt_4"), second)

	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	require.Zero(t, pass("evt_5"), "what is gone limits nothing")
}

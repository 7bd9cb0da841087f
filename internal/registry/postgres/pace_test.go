package postgres_test

import (
	"fmt"
	"slices"
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
// all come through.
func TestPassOfSeveralWorkers(t *testing.T) {
	t.Parallel()
	const events = 120
	limit := webhook.RateLimit{PerSecond: 40, Burst: 4}
	d, sealer := newDatabase(t), registrytest.NewSealer(t)
	d.migrate(t)
	workers := []*postgres.Registry{d.registry(t, sealer), d.registry(t, sealer), d.registry(t, sealer)}
	require.NoError(t, workers[0].CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))

	var all sync.WaitGroup
	var mu sync.Mutex
	var went []time.Time
	begun := time.Now()
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
					break
				}
				select {
				case <-time.After(wait): // the clock is the server's
				case <-t.Context().Done():
				}
			}
			mu.Lock()
			defer mu.Unlock()
			went = append(went, time.Now())
		})
	}
	all.Wait()
	slices.SortFunc(went, time.Time.Compare)
	require.Len(t, went, events)
	least := time.Duration(float64(events-limit.Burst) / limit.PerSecond * float64(time.Second))
	took := went[events-1].Sub(begun)
	t.Logf("%d attempts in %s, %s by the limit", events, took.Round(time.Millisecond), least)
	require.Greater(t, took, least-100*time.Millisecond, "never faster than the limit")
	require.Empty(t, query(t, d.connect(t), "SELECT event_id FROM slots"))
}

// TestSlotsOfSeveralWorkers: a limit is used up, for the slots that workers deal together follow
// each other without a gap.
func TestSlotsOfSeveralWorkers(t *testing.T) {
	t.Parallel()
	const events = 60
	// a token more would take a hundred seconds
	limit := webhook.RateLimit{PerSecond: 0.01, Burst: 4}
	d, sealer := newDatabase(t), registrytest.NewSealer(t)
	d.migrate(t)
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
	gaps := query(t, d.connect(t), "SELECT (at - lag(at) OVER (ORDER BY at))::text FROM slots ORDER BY at OFFSET 1")
	require.Len(t, gaps, events-limit.Burst-1)
	for _, gap := range gaps {
		require.Equal(t, "100000000", gap, "microseconds")
	}
}

func TestPassKeepsASlot(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	limit := webhook.RateLimit{PerSecond: 0.01, Burst: 1}
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	pass := func(event string) time.Duration {
		wait, err := r.Pass(t.Context(), "acme", "ep_1", event, limit)
		require.NoError(t, err)
		return wait
	}
	begun := time.Now()
	require.Zero(t, pass("evt_1"))
	first, second := pass("evt_2"), pass("evt_3")
	for want, got := range map[time.Duration]time.Duration{100 * time.Second: first, 200 * time.Second: second} {
		require.LessOrEqual(t, got, want)
		require.GreaterOrEqual(t, got+time.Since(begun), want)
	}
	require.Less(t, pass("evt_2"), first, "who comes too early keeps its slot")
	require.Greater(t, pass("evt_4"), second)

	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	require.Zero(t, pass("evt_5"), "what is gone limits nothing")
}

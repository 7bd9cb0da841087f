package guard_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// waiters ask for permits at acme's ep_1 and wait in memory, in a bubble.
type waiters struct {
	t        *testing.T
	g        *guard.Guard
	ctx      context.Context
	got      chan guard.Permit
	deferred chan error
}

func newWaiters(t *testing.T, g *guard.Guard) *waiters {
	t.Helper()
	return &waiters{t, g, t.Context(), make(chan guard.Permit, 10_000), make(chan error, 10_000)}
}

// ask lets n deliveries with some data ask, and says how many of them do not wait.
func (w *waiters) ask(n int, data []byte) (permits, deferred int) {
	w.t.Helper()
	permits, deferred = len(w.got), len(w.deferred)
	d := at("ep_1")
	d.Content.Data = data
	for range n {
		go func() {
			p, err := w.g.Acquire(w.ctx, d)
			if err != nil {
				w.deferred <- err
				return
			}
			w.got <- p
		}()
	}
	synctest.Wait()
	return len(w.got) - permits, len(w.deferred) - deferred
}

// serve makes the attempts of all that got a permit, until none waits.
func (w *waiters) serve() (made int) {
	for {
		select {
		case p := <-w.got:
			w.g.Release(p, at("ep_1"), none)
			made++
			synctest.Wait()
		default:
			return made
		}
	}
}

// TestOnlyAShortWaitIsWorthIt: of an endpoint that has not answered yet an answer is thought to
// take a second.
func TestOnlyAShortWaitIsWorthIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaiters(t, newGuard(t, guard.Config{MaxInFlight: 1}))
		permits, deferred := w.ask(7, nil)
		require.Equal(t, 1, permits)
		require.Equal(t, 1, deferred, "five seconds are worth it, six are not")
		require.ErrorContains(t, <-w.deferred, "1 attempts to the endpoint are in flight, as many as it answers well")
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Len(t, w.deferred, 5, "no wait is longer than six")
		require.Equal(t, 1, w.serve())
	})
}

// TestMoreWaitWhereTheLimitGrows: not where it fell lately, nor where no attempt has ended. All of
// it happens in bubbles.
func TestMoreWaitWhereTheLimitGrows(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		before func(t *testing.T, g *guard.Guard) // what has happened to the endpoint
		least  int
		most   int
	}{
		"at first":       {func(*testing.T, *guard.Guard) {}, 1000, 1024},
		"it fell lately": {func(t *testing.T, g *guard.Guard) { t.Helper(); answersIn(t, g, 1, time.Second, failing) }, 100, 200},
		"it fell a while ago": {func(t *testing.T, g *guard.Guard) {
			t.Helper()
			answersIn(t, g, 1, time.Second, failing)
			time.Sleep(time.Minute + 1)
		}, 1000, 1024},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWaiters(t, newGuard(t, guard.Config{}))
				tc.before(t, w.g)
				permits, deferred := w.ask(1500, nil)
				waits := 1500 - permits - deferred
				require.GreaterOrEqual(t, waits, tc.least)
				require.LessOrEqual(t, waits, tc.most)
				require.Equal(t, 1500-deferred, w.serve())
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWaiters(t, newGuard(t, guard.Config{}))
		w.ask(32, nil)
		time.Sleep(3 * time.Second)
		_, deferred := w.ask(1000, nil)
		require.Greater(t, deferred, 900, "no attempt has ended for three seconds")
		w.serve()
	})
}

// TestWhatWaitsIsBounded: a thousand and twenty-four deliveries for one endpoint.
func TestWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		answersIn(t, g, 1, time.Millisecond, took)
		w := newWaiters(t, g)
		for range 3 { // what is served has given its place back
			permits, deferred := w.ask(2000, nil)
			require.Equal(t, 1024, 2000-permits-deferred)
			require.Equal(t, 2000-deferred, w.serve())
		}
	})
}

// TestTheDataOfWhatWaitsIsBounded, by tenant: half of 64 MiB for one alone.
func TestTheDataOfWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaiters(t, newGuard(t, guard.Config{}))
		large, huge := make([]byte, 24<<20), make([]byte, 65<<20)
		for range 3 { // what is served has given its room back
			w.ask(32, nil)
			_, deferred := w.ask(1, large)
			require.Zero(t, deferred)
			_, deferred = w.ask(1, large)
			require.Equal(t, 1, deferred)
			_, deferred = w.ask(500, nil)
			require.Zero(t, deferred, "small ones have room")
			require.Equal(t, 32+1+500, w.serve())
		}
		w.ask(32, nil)
		_, deferred := w.ask(2100, huge)
		require.Equal(t, 2100, deferred)
		_, deferred = w.ask(500, nil)
		require.Zero(t, deferred, "what is refused holds no place")
		w.serve()
	})
}

func TestMetricsCountBreakersAndWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		g := newGuard(t, guard.Config{MaxInFlight: 1, Metrics: registry})
		values := func() map[string]float64 {
			families, err := registry.Gather()
			require.NoError(t, err)
			got := map[string]float64{}
			for _, f := range families {
				got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
				require.NotEmpty(t, f.GetHelp())
			}
			return got
		}
		w := newWaiters(t, g)
		w.ask(3, nil)
		for range 5 {
			send(t, g, of(webhook.Endpoint{Tenant: "acme", ID: "ep_2"}, "evt_1"), failing)
		}
		require.Equal(t, map[string]float64{"hookloop_breakers_open": 1, "hookloop_attempts_waiting": 2}, values())
		w.serve()
		time.Sleep(6 * time.Second)
		require.Equal(t, map[string]float64{"hookloop_breakers_open": 1, "hookloop_attempts_waiting": 0}, values(), "it waits for its probe")
		time.Sleep(guard.KeepIdle)
		require.Equal(t, map[string]float64{"hookloop_breakers_open": 0, "hookloop_attempts_waiting": 0}, values(), "it is forgotten")
	})
	_, err := guard.New(guard.Config{Metrics: twice{}})
	require.Error(t, err)
}

// twice is a registry that has everything already.
type twice struct{ prometheus.Registerer }

func (twice) Register(prometheus.Collector) error { return prometheus.AlreadyRegisteredError{} }

package guard_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// refuses says whether a turn at an endpoint, as the registry has it, is deferred by its breaker.
func refuses(t *testing.T, g *guard.Guard, e webhook.Endpoint, readAt time.Time) bool {
	t.Helper()
	d := of(e, "evt_1")
	d.ReadAt = readAt
	release, refused := acquire(g, d)
	if refused != nil {
		require.Equal(t, webhook.DeferBreaker, refused.Reason)
		return true
	}
	release(none)
	return false
}

// TestWhatAnotherWorkerFoundOpensTheBreaker, unless it is time for a probe, or this worker knows
// better.
func TestWhatAnotherWorkerFoundOpensTheBreaker(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		opened      time.Duration // before now
		lastSuccess time.Duration // likewise; 0: none
		want        bool
	}{
		"just now":                {time.Millisecond, 0, true},
		"almost five seconds ago": {5*time.Second - 1, 0, true},
		"by a clock that is fast": {-4 * time.Second, 0, true},
		"five seconds ago":        {5 * time.Second, 0, false},
		"by a clock that is odd":  {-time.Minute, 0, false},
		"before a success here":   {2 * time.Second, time.Second, false},
		"after a success here":    {time.Second, 2 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGuard(t, guard.Config{})
				if tc.lastSuccess > 0 {
					attempt(t, g, took)
					time.Sleep(tc.lastSuccess)
				}
				e := at("ep_1").Endpoint
				e.BreakerOpenedAt = time.Now().Add(-tc.opened)
				require.Equal(t, tc.want, refuses(t, g, e, time.Time{}))
				require.Equal(t, tc.want, g.Breaker("acme", "ep_1") == "open")
			})
		})
	}
}

// TestAnotherWorkersProbeClosesTheBreaker, and what was read before the report is of no account.
func TestAnotherWorkersProbeClosesTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), at("ep_1").Endpoint
		before := time.Now()
		time.Sleep(time.Second)
		e.BreakerOpenedAt = time.Now()
		require.True(t, refuses(t, g, e, time.Time{}))
		e.BreakerOpenedAt = time.Time{}
		require.True(t, refuses(t, g, e, before), "it does not know of the report yet")
		require.False(t, refuses(t, g, e, time.Now()))
		requireBreaker(t, g, "closed")

		for range 5 {
			attempt(t, g, failing)
		}
		require.True(t, refuses(t, g, e, time.Now()), "no worker has reported it, so none has recovered")
	})
}

// TestAnEndpointThatIsReachedInAnotherWayBeginsAnew. A change that shapes no request changes
// nothing.
func TestAnEndpointThatIsReachedInAnotherWayBeginsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), at("ep_1").Endpoint
		e.Version, e.URL = 1, "https://crm.example/"
		fails := func() {
			for range 5 {
				send(t, g, of(e, "evt_1"), failing)
			}
			require.True(t, refuses(t, g, e, time.Time{}))
		}
		fails()
		e.Version, e.Description = 2, "ours"
		require.True(t, refuses(t, g, e, time.Time{}))
		before := e
		e.Version, e.URL = 3, "https://crm.example/new"
		require.False(t, refuses(t, g, e, time.Time{}))
		fails()
		require.True(t, refuses(t, g, before, time.Time{}), "an older version is what was read before")
		e.Version, e.Secrets = 4, []webhook.EndpointSecret{{Secret: signature.NewSecret()}}
		require.False(t, refuses(t, g, e, time.Time{}))
		fails()
		e.Version, e.Releasing = 5, time.Now().Add(time.Minute)
		require.False(t, refuses(t, g, e, time.Time{}), "a person has let its deliveries go")
	})
}

// recoveries keeps of what Health is told whether deliveries have to be rechecked.
type recoveries struct {
	reports
	waiting []bool
}

func (r *recoveries) Recovered(_, _ string, _ webhook.Attempt, _ string, waiting bool) {
	r.waiting = append(r.waiting, waiting)
}

// TestDeferredDeliveriesAreRecheckedAfterTheRecovery, once.
func TestDeferredDeliveriesAreRecheckedAfterTheRecovery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &recoveries{}
		g := newGuard(t, guard.Config{Health: h})
		attempt(t, g, took)
		for _, deferred := range []bool{true, false} {
			for range 20 {
				attempt(t, g, failing)
			}
			if deferred {
				require.True(t, refuses(t, g, at("ep_1").Endpoint, time.Time{}))
			}
			time.Sleep(6 * time.Second)
			attempt(t, g, took)
			attempt(t, g, took)
		}
		require.Equal(t, []bool{false, true, false}, h.waiting)
	})
}

// TestADeferredTurnComesInTimeForTheProbe: its deferral ends when the breaker lets a probe through,
// and says when that is.
func TestADeferredTurnComesInTimeForTheProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		time.Sleep(300 * time.Millisecond)
		for range 5 {
			attempt(t, g, failing)
		}
		_, refused := acquire(g, at("ep_1"))
		comes := time.Now().Add(refused.Wait())
		require.Equal(t, "the endpoint keeps failing; it is probed after "+comes.UTC().Format(time.RFC3339), refused.Detail)
		require.LessOrEqual(t, refused.Wait(), 6*time.Second)
		time.Sleep(refused.Wait())
		attempt(t, g, took)
		requireBreaker(t, g, "closed")
	})
}

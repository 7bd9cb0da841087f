package guard_test

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	_, err := guard.New(guard.Config{MaxInFlight: -1})
	require.EqualError(t, err, "at most -1 attempts in flight")
}

func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 5 {
			attempt(t, g, failing)
		}
		time.Sleep(31 * time.Second)
		probe, refused := acquire(g, at("ep_1"))
		require.Nil(t, refused)
		_, refused = acquire(g, at("ep_1"))
		require.Equal(t, &webhook.Deferral{
			Reason: webhook.DeferBreaker, Detail: "the endpoint keeps failing; a probe is under way", WaitMS: 5_000,
		}, refused)
		probe(none) // says nothing: the next turn is the probe
		probe, refused = acquire(g, at("ep_1"))
		require.Nil(t, refused)
		probe(failing)
		_, refused = acquire(g, at("ep_1"))
		require.Equal(t, webhook.DeferBreaker, refused.Reason, "open again")
	})
}

// TestBreakerOfAnEndpointThatTakesHalf: it is sent what it takes, fewer at once.
func TestBreakerOfAnEndpointThatTakesHalf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 500 {
			attempt(t, g, took)
			attempt(t, g, failing)
		}
		for range 18 {
			attempt(t, g, failing)
		}
		attempt(t, g, took)
		requireBreaker(t, g, "closed")
		for range 20 {
			attempt(t, g, failing)
		}
		requireBreaker(t, g, "open")
	})
}

// TestDeferredDeliveriesComeOneByOne, and the first of them in time for the probe.
func TestDeferredDeliveriesComeOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 5 {
			attempt(t, g, failing)
		}
		last, late := 5*time.Second, map[time.Duration]bool{}
		for i := range 10_000 {
			_, refused := acquire(g, at("ep_1"))
			require.Equal(t, webhook.DeferBreaker, refused.Reason)
			require.LessOrEqual(t, refused.Wait(), 2*time.Hour)
			switch {
			case i == 0:
				require.InDelta(t, last, refused.Wait(), float64(time.Second))
				last = refused.Wait()
			case i < 7000:
				require.Equal(t, last+time.Second, refused.Wait())
				last = refused.Wait()
			case refused.Wait() < 2*time.Hour:
				require.Greater(t, refused.Wait(), time.Hour)
				late[refused.Wait()] = true
			}
		}
		require.Greater(t, len(late), 2000, "the others are spread over the hour before")
		time.Sleep(11 * time.Second)
		attempt(t, g, took)
		for range 5 {
			attempt(t, g, failing)
		}
		_, refused := acquire(g, at("ep_1"))
		require.Less(t, refused.Wait(), 12*time.Second, "the times are gone with the breaker that dealt them out")
	})
}

func TestBreakerForgetsOldFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 3 {
			for range 4 {
				attempt(t, g, failing)
			}
			time.Sleep(71 * time.Second)
		}
		for range 20 {
			attempt(t, g, none)
		}
	})
}

func TestIdleEndpointsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 5 {
			attempt(t, g, failing)
		}
		busy, _ := acquire(g, at("ep_busy"))
		time.Sleep(guard.KeepIdle - time.Second)
		send(t, g, at("ep_2"), took)
		require.Equal(t, 3, g.Known(), "an open breaker outlasts its deliveries' deferrals")
		time.Sleep(2 * time.Second)
		send(t, g, at("ep_3"), took)
		require.Equal(t, 3, g.Known(), "ep_1 is gone, ep_busy has an attempt in flight")
		busy(took)
		time.Sleep(guard.KeepIdle)
		send(t, g, at("ep_4"), took)
		require.Equal(t, 1, g.Known())
	})
}

func TestEndpointsAreBounded(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Config{})
	busy, _ := acquire(g, at("ep_busy"))
	for n := range guard.MaxEndpoints + 100 {
		send(t, g, at("ep_"+strconv.Itoa(n)), took)
	}
	require.Equal(t, guard.MaxEndpoints, g.Known())
	busy(took)
}

// TestTheIdlestEndpointsAreForgottenFirst: one that is in use stays.
func TestTheIdlestEndpointsAreForgottenFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 5 {
			attempt(t, g, failing)
		}
		for n := range guard.MaxEndpoints + 100 {
			send(t, g, at("ep_"+strconv.Itoa(n+2)), took)
			if n%10_000 == 0 {
				_, refused := acquire(g, at("ep_1"))
				require.Equal(t, webhook.DeferBreaker, refused.Reason)
			}
		}
		requireBreaker(t, g, "open")
	})
}

// TestAnAttemptThatEndsIsAUse of its endpoint, however long it took.
func TestAnAttemptThatEndsIsAUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		release, _ := acquire(g, at("ep_1"))
		time.Sleep(guard.KeepIdle)
		release(took)
		send(t, g, at("ep_2"), took)
		require.Equal(t, 2, g.Known())
	})
}

func TestEndpointsTogether(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Config{MaxInFlight: 4})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 500 {
				release, refused := acquire(g, at("ep_"+strconv.Itoa((n+i)%3)))
				if refused == nil {
					release(took)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 3, g.Known())
}

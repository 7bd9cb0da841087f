package guard_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

func limited(perSecond float64, burst int) webhook.Endpoint {
	return webhook.Endpoint{
		Tenant: "acme", ID: "ep_1", State: webhook.EndpointActive,
		RateLimit: webhook.RateLimit{PerSecond: perSecond, Burst: burst},
	}
}

// pass makes an attempt of delivery n that takes no time; nil says that it got a permit.
func pass(g *guard.Guard, e webhook.Endpoint, n int) *webhook.Deferral {
	release, refused := acquire(g, of(e, "evt_"+strconv.Itoa(n)))
	if refused == nil {
		release(took)
	}
	return refused
}

func requireWait(t *testing.T, want time.Duration, d *webhook.Deferral) {
	t.Helper()
	require.NotNil(t, d)
	require.Equal(t, webhook.DeferLimit, d.Reason)
	require.InDelta(t, want, d.Wait(), float64(2*time.Millisecond))
}

func TestLimitedDeliveriesHaveSlotsOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, burst = 205, 5
		g, e := newGuard(t, guard.Config{}), limited(10, burst)
		start := time.Now()
		var mu sync.Mutex
		var passed []time.Duration
		var wg sync.WaitGroup
		for i := range n {
			refused := pass(g, e, i)
			if i < burst {
				require.Nil(t, refused, "the burst")
				continue
			}
			requireWait(t, time.Duration(i-burst+1)*100*time.Millisecond, refused)
			wg.Go(func() {
				time.Sleep(refused.Wait())
				if pass(g, e, i) == nil {
					mu.Lock()
					defer mu.Unlock()
					passed = append(passed, time.Since(start))
				}
			})
		}
		wg.Wait()
		require.Len(t, passed, n-burst, "each passes when it comes for its slot")
		slices.Sort(passed)
		for i, at := range passed {
			require.InDelta(t, time.Duration(i+1)*100*time.Millisecond, at, float64(2*time.Millisecond))
		}
		require.Zero(t, g.Slots())
		requireWait(t, 100*time.Millisecond, pass(g, e, n-1)) // a slot is good for one attempt
	})
}

// TestRateOverTime: deliveries come late, by timers and queues, and fail now and then.
func TestRateOverTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, rate, burst = 1000, 20, 10
		g, e := newGuard(t, guard.Config{}), limited(rate, burst)
		start, dice := time.Now(), rand.New(rand.NewPCG(1, 2))
		var attempts int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range n {
			again := dice.IntN(4)
			late := time.Duration(dice.Int64N(int64(2 * time.Second)))
			wg.Go(func() {
				for again >= 0 {
					if refused := pass(g, e, i); refused != nil {
						time.Sleep(refused.Wait() + late)
						continue
					}
					again--
					mu.Lock()
					attempts++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		require.InEpsilon(t, float64(attempts-burst)/rate, time.Since(start).Seconds(), 0.1)
	})
}

func TestComingEarlyKeepsTheSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), limited(0.5, 1)
		require.Nil(t, pass(g, e, 0))
		first := pass(g, e, 1)
		requireWait(t, 2*time.Second, first)
		requireWait(t, 4*time.Second, pass(g, e, 2))
		require.Equal(t, "the endpoint takes 0.5 attempts a second; this delivery's slot is at "+
			time.Now().Add(2*time.Second).UTC().Format("2006-01-02T15:04:05.000Z"), first.Detail)

		time.Sleep(1500 * time.Millisecond)
		again := pass(g, e, 1) // an operator's retry-now, say
		requireWait(t, 500*time.Millisecond, again)
		require.Equal(t, first.Detail, again.Detail)
		requireWait(t, 4500*time.Millisecond, pass(g, e, 3))
		time.Sleep(460 * time.Millisecond)
		require.Nil(t, pass(g, e, 1), "timers are not exact")
	})
}

// TestMissedSlotsDoNotFlood: Temporal was away for a minute, and all that missed their slots come
// at once.
func TestMissedSlotsDoNotFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, rate = 600, 10
		g, e := newGuard(t, guard.Config{}), limited(rate, 1)
		for i := range n {
			_ = pass(g, e, i)
		}
		time.Sleep(time.Minute)
		passed := 0
		for i := 1; i < n; i++ {
			refused := pass(g, e, i)
			if refused == nil {
				passed++
				continue
			}
			require.Equal(t, webhook.DeferLimit, refused.Reason)
		}
		require.InDelta(t, 10*rate, passed, 3, "those that are hardly late, and no more")
		time.Sleep(2 * time.Minute)
		for i := 1; i < n && g.Slots() > 0; i++ {
			if waits := g.Slots(); pass(g, e, i) == nil && g.Slots() < waits {
				passed++
			}
		}
		require.Equal(t, n-1, passed, "no delivery misses a slot twice")
	})
}

// TestSlowLimitsHavePatience: with a slow limit, late is what the bucket could not have held.
func TestSlowLimitsHavePatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), limited(0.01, 2)
		require.Nil(t, pass(g, e, 0))
		require.Nil(t, pass(g, e, 1))
		requireWait(t, 100*time.Second, pass(g, e, 2))
		requireWait(t, 200*time.Second, pass(g, e, 3))
		time.Sleep(299 * time.Second)
		require.Nil(t, pass(g, e, 2))
	})
}

func TestLimitFollowsEdits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, slow := newGuard(t, guard.Config{}), limited(1, 1)
		for i := range 11 {
			_ = pass(g, slow, i)
		}
		fast := limited(10, 3)
		for i := 1; i < 11; i++ {
			requireWait(t, time.Duration(i)*100*time.Millisecond, pass(g, fast, i))
		}
		requireWait(t, 1100*time.Millisecond, pass(g, fast, 11)) // behind them
		for i := 1; i < 12; i++ {
			requireWait(t, time.Duration(i)*time.Second, pass(g, slow, i))
		}
		time.Sleep(time.Second)
		require.Nil(t, pass(g, slow, 1))
		require.Nil(t, pass(g, limited(0, 0), 5), "no limit")
		require.Zero(t, g.Slots())
		time.Sleep(time.Minute)
		for i := range 3 {
			require.Nil(t, pass(g, fast, i), "the new burst")
		}
		requireWait(t, 100*time.Millisecond, pass(g, fast, 3))
	})
}

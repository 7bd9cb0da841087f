package sender_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func limited(perSecond float64, burst int) webhook.Endpoint {
	return webhook.Endpoint{
		Tenant: "acme", ID: "ep_1", State: webhook.EndpointActive,
		RateLimit: webhook.RateLimit{PerSecond: perSecond, Burst: burst},
	}
}

// come takes a turn of delivery n and ends it at once; nil says it passed.
func come(s *sender.Sender, e webhook.Endpoint, n int) *webhook.Deferral {
	leave, refused := s.EnterLimited(e, "evt_"+strconv.Itoa(n))
	if refused == nil {
		leave(nil)
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
		s, e := newSender(t, sender.Config{}), limited(10, burst)
		start := time.Now()
		var mu sync.Mutex
		var passed []time.Duration
		var wg sync.WaitGroup
		for i := range n {
			refused := come(s, e, i)
			if i < burst {
				require.Nil(t, refused, "the burst")
				continue
			}
			requireWait(t, time.Duration(i-burst+1)*100*time.Millisecond, refused)
			wg.Go(func() {
				<-time.After(refused.Wait())
				if come(s, e, i) == nil {
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
		require.Zero(t, s.Slots())
		requireWait(t, 100*time.Millisecond, come(s, e, n-1)) // a slot is good for one attempt
	})
}

// Deliveries come late as timers and queues have it, and fail now and then.
func TestRateOverTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, rate, burst = 1000, 20, 10
		s, e := newSender(t, sender.Config{}), limited(rate, burst)
		start, dice := time.Now(), rand.New(rand.NewPCG(1, 2))
		var attempts int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range n {
			again := dice.IntN(4)
			late := time.Duration(dice.Int64N(int64(2 * time.Second)))
			wg.Go(func() {
				for again >= 0 {
					if refused := come(s, e, i); refused != nil {
						<-time.After(refused.Wait() + late)
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
		s, e := newSender(t, sender.Config{}), limited(0.5, 1)
		require.Nil(t, come(s, e, 0))
		first := come(s, e, 1)
		requireWait(t, 2*time.Second, first)
		requireWait(t, 4*time.Second, come(s, e, 2))
		require.Equal(t, "the endpoint takes 0.5 attempts a second; this delivery's slot is at "+
			time.Now().Add(2*time.Second).UTC().Format("2006-01-02T15:04:05.000Z"), first.Detail)

		<-time.After(1500 * time.Millisecond)
		again := come(s, e, 1) // an operator's retry-now, say
		requireWait(t, 500*time.Millisecond, again)
		require.Equal(t, first.Detail, again.Detail)
		requireWait(t, 4500*time.Millisecond, come(s, e, 3))
		<-time.After(460 * time.Millisecond)
		require.Nil(t, come(s, e, 1), "timers are not exact")
	})
}

// Temporal was away for a minute: all that missed their slots come at once.
func TestMissedSlotsDoNotFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n, rate = 600, 10
		s, e := newSender(t, sender.Config{}), limited(rate, 1)
		for i := range n {
			_ = come(s, e, i)
		}
		<-time.After(time.Minute)
		passed := 0
		for i := 1; i < n; i++ {
			refused := come(s, e, i)
			if refused == nil {
				passed++
				continue
			}
			require.Equal(t, webhook.DeferLimit, refused.Reason)
		}
		require.InDelta(t, 10*rate, passed, 3, "those that are hardly late, and no more")
		<-time.After(2 * time.Minute)
		for i := 1; i < n && s.Slots() > 0; i++ {
			if waits := s.Slots(); come(s, e, i) == nil && s.Slots() < waits {
				passed++
			}
		}
		require.Equal(t, n-1, passed, "nobody misses a slot twice")
	})
}

// With a slow limit, late is what the bucket could not have held.
func TestSlowLimitsHavePatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := newSender(t, sender.Config{}), limited(0.01, 2)
		require.Nil(t, come(s, e, 0))
		require.Nil(t, come(s, e, 1))
		requireWait(t, 100*time.Second, come(s, e, 2))
		requireWait(t, 200*time.Second, come(s, e, 3))
		<-time.After(299 * time.Second)
		require.Nil(t, come(s, e, 2))
	})
}

func TestLimitFollowsEdits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, slow := newSender(t, sender.Config{}), limited(1, 1)
		for i := range 11 {
			_ = come(s, slow, i)
		}
		fast := limited(10, 3)
		for i := 1; i < 11; i++ {
			requireWait(t, time.Duration(i)*100*time.Millisecond, come(s, fast, i))
		}
		requireWait(t, 1100*time.Millisecond, come(s, fast, 11)) // behind them
		for i := 1; i < 12; i++ {
			requireWait(t, time.Duration(i)*time.Second, come(s, slow, i))
		}
		<-time.After(time.Second)
		require.Nil(t, come(s, slow, 1))
		require.Nil(t, come(s, limited(0, 0), 5), "no limit")
		require.Zero(t, s.Slots())
		<-time.After(time.Minute)
		for i := range 3 {
			require.Nil(t, come(s, fast, i), "the new burst")
		}
		requireWait(t, 100*time.Millisecond, come(s, fast, 3))
	})
}

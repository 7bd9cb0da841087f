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

	"hookloop/internal/endpointtest"
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
			come(s, e, i)
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
			come(s, slow, i)
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

func TestRestartReservesAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := limited(1, 1)
		before := newSender(t, sender.Config{})
		for i := range 5 {
			come(before, e, i)
		}
		<-time.After(4 * time.Second)
		after := newSender(t, sender.Config{})
		require.Nil(t, come(after, e, 4))
		requireWait(t, time.Second, come(after, e, 3))
	})
}

func TestRefusedTurnsSpendNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := newSender(t, sender.Config{Bulkhead: 1}), limited(0.001, 7)
		busy, refused := s.EnterLimited(e, "evt_busy") // token 1
		require.Nil(t, refused)
		for i := range 50 {
			require.Equal(t, webhook.DeferBulkhead, come(s, e, i).Reason)
		}
		busy(sender.ErrFailing)
		for range 4 { // tokens 2 to 5
			leave, refused := s.EnterLimited(e, "evt_fails")
			require.Nil(t, refused)
			leave(sender.ErrFailing)
		}
		for i := range 50 {
			require.Equal(t, webhook.DeferBreaker, come(s, e, i).Reason)
		}
		require.Zero(t, s.Slots())
		<-time.After(31 * time.Second)
		require.Nil(t, come(s, e, 0), "the probe, token 6")
		require.Nil(t, come(s, e, 1), "token 7")
		requireWait(t, 969*time.Second, come(s, e, 2))
	})
}

func TestLimitedTurnsTakeNoProbeAndNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := newSender(t, sender.Config{Bulkhead: 1}), limited(0.01, 5)
		for range 5 {
			leave, refused := s.EnterLimited(e, "evt_fails")
			require.Nil(t, refused)
			leave(sender.ErrFailing)
		}
		<-time.After(31 * time.Second)
		for i := range 50 {
			requireWait(t, time.Duration(i+1)*100*time.Second-31*time.Second, come(s, e, i))
		}
		require.Equal(t, "half-open", s.Breaker("acme", "ep_1"))
		<-time.After(70 * time.Second)
		require.Nil(t, come(s, e, 0), "the place is free, and the probe its own")
		require.Equal(t, "closed", s.Breaker("acme", "ep_1"))
	})
}

func TestSlotsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := newSender(t, sender.Config{}), limited(1000, 1)
		const extra = 200
		last := time.Duration(0)
		beyond := map[time.Duration]bool{}
		for i := 0; len(beyond) < extra; i++ {
			refused := come(s, e, i)
			switch {
			case refused == nil: // about now
			case s.Slots() < sender.MaxSlots:
				last = refused.Wait()
			default:
				require.Greater(t, refused.Wait(), last)
				require.Less(t, refused.Wait(), last*13/10)
				beyond[refused.Wait()] = true
			}
		}
		require.Equal(t, sender.MaxSlots, s.Slots())

		<-time.After(sender.KeptSlot)
		require.Nil(t, come(s, e, -1))
		require.Positive(t, s.Slots(), "of the last hour")
		<-time.After(time.Minute)
		require.Nil(t, come(s, e, -1))
		require.Zero(t, s.Slots(), "nobody came")
	})
}

func TestGuardsWithSlotsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := newSender(t, sender.Config{}), limited(0.001, 1)
		for i := range 20 { // for five hours
			come(s, e, i)
		}
		<-time.After(3 * time.Hour)
		enterOther(t, s, "ep_2")
		require.Equal(t, 2, s.Guarded())
		<-time.After(4 * time.Hour)
		enterOther(t, s, "ep_3")
		require.Equal(t, 1, s.Guarded())
		require.Zero(t, s.Slots())
	})
}

func TestLimitCostsNoAttempt(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	d.Endpoint.RateLimit = webhook.RateLimit{PerSecond: 0.001, Burst: 1}
	_, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	_, err = s.Send(t.Context(), d, 2)
	requireDeferral(t, err, webhook.DeferLimit, "the endpoint takes 0.001 attempts a second")
	require.Len(t, srv.Receipts(), 1)
	require.Equal(t, 1, s.Slots())

	d.Endpoint.ID = "ep_2"
	_, err = s.Send(t.Context(), d, 1)
	require.NoError(t, err, "each endpoint has a limit of its own")
}

func TestBreakerState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		require.Equal(t, "closed", s.Breaker("acme", "ep_1"))
		require.Zero(t, s.Guarded(), "asking makes no guard")
		for range 5 {
			require.Equal(t, "closed", s.Breaker("acme", "ep_1"))
			turn(t, s, sender.ErrFailing)
		}
		require.Equal(t, "open", s.Breaker("acme", "ep_1"))
		require.Equal(t, "closed", s.Breaker("globex", "ep_1"))
		<-time.After(31 * time.Second)
		require.Equal(t, "half-open", s.Breaker("acme", "ep_1"))
		turn(t, s, nil)
		require.Equal(t, "closed", s.Breaker("acme", "ep_1"))
	})
}

package sender_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestRestartReservesAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := limited(1, 1)
		before := newSender(t, sender.Config{})
		for i := range 5 {
			_ = come(before, e, i)
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
		s, e := newSender(t, sender.Config{MostPlaces: 1}), limited(0.001, 7)
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
		requireWait(t, 963*time.Second, come(s, e, 2)) // the first of the fifty waited six for a place
	})
}

func TestLimitedTurnsTakeNoProbeAndNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, e := newSender(t, sender.Config{MostPlaces: 1}), limited(0.01, 5)
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
			_ = come(s, e, i)
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

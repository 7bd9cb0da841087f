package guard_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

func TestRestartReservesAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := limited(1, 1)
		before := newGuard(t, guard.Config{})
		for i := range 5 {
			_ = pass(before, e, i)
		}
		time.Sleep(4 * time.Second)
		after := newGuard(t, guard.Config{})
		require.Nil(t, pass(after, e, 4))
		requireWait(t, time.Second, pass(after, e, 3))
	})
}

func TestRefusedTurnsSpendNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{MaxInFlight: 1}), limited(0.001, 7)
		busy, refused := acquire(g, of(e, "evt_busy")) // token 1
		require.Nil(t, refused)
		for i := range 50 {
			require.Equal(t, webhook.DeferConcurrency, pass(g, e, i).Reason)
		}
		busy(failing)
		for range 4 { // tokens 2 to 5
			release, refused := acquire(g, of(e, "evt_fails"))
			require.Nil(t, refused)
			release(failing)
		}
		for i := range 50 {
			require.Equal(t, webhook.DeferBreaker, pass(g, e, i).Reason)
		}
		require.Zero(t, g.Slots())
		time.Sleep(31 * time.Second)
		require.Nil(t, pass(g, e, 0), "the probe, token 6")
		require.Nil(t, pass(g, e, 1), "token 7")
		requireWait(t, 963*time.Second, pass(g, e, 2)) // the first of the fifty waited six for a permit
	})
}

func TestLimitedTurnsTakeNoProbeAndNoPermit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{MaxInFlight: 1}), limited(0.01, 5)
		for range 5 {
			release, refused := acquire(g, of(e, "evt_fails"))
			require.Nil(t, refused)
			release(failing)
		}
		time.Sleep(31 * time.Second)
		for i := range 50 {
			requireWait(t, time.Duration(i+1)*100*time.Second-31*time.Second, pass(g, e, i))
		}
		require.Equal(t, "half-open", g.Breaker("acme", "ep_1"))
		time.Sleep(70 * time.Second)
		require.Nil(t, pass(g, e, 0), "the limit lets it through, and it is the probe")
		require.Equal(t, "closed", g.Breaker("acme", "ep_1"))
	})
}

func TestSlotsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), limited(1000, 1)
		const extra = 200
		last := time.Duration(0)
		beyond := map[time.Duration]bool{}
		for i := 0; len(beyond) < extra; i++ {
			refused := pass(g, e, i)
			switch {
			case refused == nil: // about now
			case g.Slots() < guard.MaxSlots:
				last = refused.Wait()
			default:
				require.Greater(t, refused.Wait(), last)
				require.Less(t, refused.Wait(), last*13/10)
				beyond[refused.Wait()] = true
			}
		}
		require.Equal(t, guard.MaxSlots, g.Slots())

		time.Sleep(guard.KeepSlot)
		require.Nil(t, pass(g, e, -1))
		require.Positive(t, g.Slots(), "of the last hour")
		time.Sleep(time.Minute)
		require.Nil(t, pass(g, e, -1))
		require.Zero(t, g.Slots(), "no delivery came")
	})
}

func TestEndpointsWithSlotsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), limited(0.001, 1)
		for i := range 20 { // for five hours
			_ = pass(g, e, i)
		}
		time.Sleep(3 * time.Hour)
		send(t, g, at("ep_2"), took)
		require.Equal(t, 2, g.Known())
		time.Sleep(4 * time.Hour)
		send(t, g, at("ep_3"), took)
		require.Equal(t, 1, g.Known())
		require.Zero(t, g.Slots())
	})
}

// TestSlotsGoWithTheirEndpoint when there are too many endpoints.
func TestSlotsGoWithTheirEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, e := newGuard(t, guard.Config{}), limited(0.001, 1)
		for i := range 3 {
			_ = pass(g, e, i)
		}
		require.Equal(t, 2, g.Slots())
		for n := range guard.MaxEndpoints {
			send(t, g, at("ep_other_"+strconv.Itoa(n)), took)
		}
		require.Zero(t, g.Slots())
	})
}

func TestBreakerState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		require.Equal(t, "closed", g.Breaker("acme", "ep_1"))
		require.Zero(t, g.Known(), "asking makes no entry")
		for range 5 {
			require.Equal(t, "closed", g.Breaker("acme", "ep_1"))
			attempt(t, g, failing)
		}
		require.Equal(t, "open", g.Breaker("acme", "ep_1"))
		require.Equal(t, "closed", g.Breaker("globex", "ep_1"))
		time.Sleep(31 * time.Second)
		require.Equal(t, "half-open", g.Breaker("acme", "ep_1"))
		attempt(t, g, took)
		require.Equal(t, "closed", g.Breaker("acme", "ep_1"))
	})
}

package guard_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

func TestProbeMendsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 50 {
			probe(t, g)(failing)
		}
		requireBreaker(t, g, "closed")
		for range 4 {
			attempt(t, g, failing)
		}
		probe(t, g)(took)
		for range 4 { // it begins to count anew
			attempt(t, g, failing)
		}
		requireBreaker(t, g, "closed")
		attempt(t, g, failing)
		probe(t, g)(none)
		probe(t, g)(failing)
		requireBreaker(t, g, "open")
		time.Sleep(31 * time.Second)
		probe(t, g)(failing)
		requireBreaker(t, g, "half-open") // nor does it open again for longer
	})
}

func TestProbeBesideTheBreakersOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &reports{}
		g := newGuard(t, guard.Config{Health: h})
		for range 5 {
			attempt(t, g, failing)
		}
		time.Sleep(31 * time.Second)
		own, refused := acquire(g, at("ep_1"))
		require.Nil(t, refused)
		_, refused = acquire(g, at("ep_1"))
		require.Equal(t, webhook.DeferBreaker, refused.Reason)
		probe(t, g)(took)
		requireBreaker(t, g, "closed")
		require.Equal(t, []string{"failing acme ep_1 evt_1 503", "recovered acme ep_1"}, h.take())
		own(failing)
		requireBreaker(t, g, "closed") // it began before the probe's success
		require.Empty(t, h.take())
		for range 4 {
			attempt(t, g, failing)
		}
		requireBreaker(t, g, "closed")
	})
}

func TestProbePassesTheLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, d := newGuard(t, guard.Config{MaxInFlight: 1}), webhook.Delivery{Endpoint: limited(0.001, 1), Probe: true}
		for range 10 {
			release, refused := acquire(g, d)
			require.Nil(t, refused)
			again, refused := acquire(g, d)
			require.Nil(t, refused, "a person waits for it")
			release(took)
			again(took)
		}
		require.Nil(t, pass(g, d.Endpoint, 0), "the token is still there")
		require.Equal(t, webhook.DeferLimit, pass(g, d.Endpoint, 1).Reason)
		release, refused := acquire(g, d)
		require.Nil(t, refused)
		release(took)
		require.Equal(t, 1, g.Slots())
	})
}

func TestProbesTogether(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Config{MaxInFlight: 16, Health: &reports{}})
	answers := []webhook.Attempt{took, failing, failing, none}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 500 {
				release, refused := acquire(g, webhook.Delivery{
					Probe: (n+i)%5 == 0, Endpoint: webhook.Endpoint{Tenant: "acme", ID: "ep_1"},
				})
				if refused == nil {
					release(answers[(n+i)%len(answers)])
				}
				_ = g.Breaker("acme", "ep_1")
			}
		})
	}
	wg.Wait()
	probe(t, g)(took)
	requireBreaker(t, g, "closed")
	for range 16 {
		probe(t, g) // every permit came back
	}
}

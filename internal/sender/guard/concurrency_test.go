package guard_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// atOnce says how many attempts at acme's ep_1 may begin at the same moment, in a bubble. None of
// them is made, so the guard learns nothing.
func atOnce(t *testing.T, g *guard.Guard) int {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	permits := make(chan guard.Permit, 100)
	for range cap(permits) {
		go func() {
			if p, err := g.Acquire(ctx, at("ep_1")); err == nil {
				permits <- p
			}
		}()
	}
	synctest.Wait()
	n := len(permits)
	stop() // those that wait
	synctest.Wait()
	close(permits)
	for p := range permits {
		g.Release(p, at("ep_1"), none)
	}
	return n
}

// hold begins n attempts at acme's ep_1.
func hold(t *testing.T, g *guard.Guard, n int) (releases []func(webhook.Attempt)) {
	t.Helper()
	for range n {
		release, refused := acquire(g, at("ep_1"))
		require.Nil(t, refused)
		releases = append(releases, release)
	}
	return releases
}

// answersIn makes n attempts at once that all take as long, in a bubble.
func answersIn(t *testing.T, g *guard.Guard, n int, after time.Duration, a webhook.Attempt) {
	t.Helper()
	releases := hold(t, g, n)
	time.Sleep(after)
	for _, release := range releases {
		release(a)
	}
}

func TestAnEndpointBeginsWithThirtyTwo(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]int{0: 32, 10: 10, 1: 1, 100: 32} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuard(t, guard.Config{MaxInFlight: most})
			require.Equal(t, want, atOnce(t, g))
			require.Equal(t, want, atOnce(t, g), "what was not made teaches nothing")
		})
	}
}

// TestTheLimitGrowsOnlyWhileItIsInUse, by one with each success, as far as it may.
func TestTheLimitGrowsOnlyWhileItIsInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{MaxInFlight: 35})
		answersIn(t, g, 15, time.Second, took)
		require.Equal(t, 32, atOnce(t, g), "less than half was in use")
		hold(t, g, 16)[0](took)
		require.Equal(t, 33-15, atOnce(t, g), "fifteen are still under way")
	})
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{MaxInFlight: 35})
		answersIn(t, g, 32, time.Second, took)
		require.Equal(t, 35, atOnce(t, g))
		answersIn(t, g, 10, time.Second, refusing)
		require.Equal(t, 35, atOnce(t, g), "a refusal is an answer")
	})
}

// TestEachFailureLeavesNineTenths, and one at least.
func TestEachFailureLeavesNineTenths(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		attempt(t, g, failing)
		require.Equal(t, 28, atOnce(t, g))
		attempt(t, g, failing)
		require.Equal(t, 25, atOnce(t, g))
		for range 3 { // with a success in between: its breaker stays closed
			attempt(t, g, took)
			for range 19 {
				attempt(t, g, failing)
			}
		}
		requireBreaker(t, g, "closed")
		require.Equal(t, 1, atOnce(t, g))
	})
}

// TestAfterItsBreakerOpenedAnEndpointBeginsWithFour: it is not met with all that it took before.
func TestAfterItsBreakerOpenedAnEndpointBeginsWithFour(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]int{0: 4, 2: 2} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuard(t, guard.Config{MaxInFlight: most})
			for range 5 {
				attempt(t, g, failing)
			}
			requireBreaker(t, g, "open")
			time.Sleep(6 * time.Second)
			attempt(t, g, took)
			requireBreaker(t, g, "closed")
			require.Equal(t, want, atOnce(t, g))
		})
	}
}

// TestAnEndpointThatBecomesSlowGetsFewer, four at least: one long answer says nothing, and a rise
// counts once per answer time.
func TestAnEndpointThatBecomesSlowGetsFewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 100 {
			answersIn(t, g, 1, 100*time.Millisecond, took)
		}
		answersIn(t, g, 1, 1250*time.Millisecond, took) // 243 ms on average: not yet twice the usual and a little
		require.Equal(t, 32, atOnce(t, g))
		answersIn(t, g, 10, time.Second, took)
		require.Equal(t, 25, atOnce(t, g), "though ten answers were slow")
		answersIn(t, g, 1, 900*time.Millisecond, took)
		require.Equal(t, 20, atOnce(t, g))
		for range 20 {
			answersIn(t, g, 1, 2*time.Second, took)
		}
		require.Equal(t, 4, atOnce(t, g))
	})
}

// TestAnEndpointThatIsSlowForGoodIsNotHeldDown: what is usual is forgotten after ten minutes.
func TestAnEndpointThatIsSlowForGoodIsNotHeldDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		for range 100 {
			answersIn(t, g, 1, 100*time.Millisecond, took)
		}
		busy := func(lasts time.Duration) {
			for began := time.Now(); time.Since(began) < lasts; {
				answersIn(t, g, 4, time.Second, took)
			}
		}
		busy(4 * time.Minute)
		require.Equal(t, 4, atOnce(t, g))
		busy(8 * time.Minute)
		require.Greater(t, atOnce(t, g), 4)
	})
}

// TestAttemptsAreSharedExactly: what is given back is there again, and no more.
func TestAttemptsAreSharedExactly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{})
		delivery := func(i int, first bool) webhook.Delivery {
			d := at("ep_" + strconv.Itoa(i%200))
			d.First = first
			return d
		}
		fill := func(first bool) (releases []func(webhook.Attempt)) {
			for i := range 3000 {
				release, refused := acquire(g, delivery(i, first))
				if refused != nil {
					require.Equal(t, webhook.DeferConcurrency, refused.Reason)
					require.Equal(t, "the tenant has its share of the attempts this worker makes at once", refused.Detail)
					continue
				}
				releases = append(releases, release)
			}
			return releases
		}
		for range 3 {
			var all []func(webhook.Attempt)
			for _, first := range []bool{true, false} { // neither stands in the other's way
				releases := fill(first)
				require.Len(t, releases, guard.MaxAttempts/2)
				all = append(all, releases...)
			}
			for _, release := range all {
				release(took)
			}
		}
	})
}

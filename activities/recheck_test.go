package activities_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func recheck(t *testing.T, k *keeper, q *queue) (int, error) {
	t.Helper()
	return act[int](t, k, q, "RecheckDeferred", endpoint1)
}

// TestDeferredDeliveriesGetTheirTurnsWithinSeconds, the oldest first, slowly at first.
func TestDeferredDeliveriesGetTheirTurnsWithinSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{lists: [][]string{events(1000)}, notHeld: map[string]bool{"evt_0001": true}}
		began := time.Now()
		n, err := recheck(t, active(), q)
		require.NoError(t, err)
		require.Equal(t, 999, n)
		for i, id := range q.told() {
			require.InDelta(t, i, slices.Index(events(1000), id), 16, "that many are told at the same time")
		}
		var within [60]int
		for _, l := range q.let {
			within[int(l.at.Sub(began)/time.Second)]++
		}
		require.LessOrEqual(t, within[0], 12)
		require.Zero(t, within[24], "all within twenty-four seconds")
		require.LessOrEqual(t, slices.Max(within[:]), 51, "no faster than that needs")
	})
}

// TestAnEndpointThatFailsAgainIsLeftAlone, and one that a person has stopped.
func TestAnEndpointThatFailsAgainIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*webhook.Endpoint){
		"fails again": func(e *webhook.Endpoint) { e.BreakerOpenedAt = time.Now() },
		"paused":      func(e *webhook.Endpoint) { e.State = webhook.EndpointPaused },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k, q := active(), &queue{lists: [][]string{events(1000)}}
				q.on = func(id string) {
					if id == "evt_0100" {
						k.mu.Lock()
						defer k.mu.Unlock()
						change(&k.endpoint)
					}
				}
				n, err := recheck(t, k, q)
				require.NoError(t, err)
				require.Less(t, n, 220, "another second's worth at most")
			})
		})
	}
}

// TestWhatIsDeferredMeanwhileIsNotForgotten, nor told twice.
func TestWhatIsDeferredMeanwhileIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{lists: [][]string{events(10), events(20), events(20)}}
		n, err := recheck(t, active(), q)
		require.NoError(t, err)
		require.Equal(t, 20, n)
		require.Len(t, q.let, 20)
	})
}

// TestSlowDeliveriesAreRecheckedSixteenAtATime.
func TestSlowDeliveriesAreRecheckedSixteenAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{lists: [][]string{events(64)}, on: func(string) { time.Sleep(time.Minute) }}
		n, err := recheck(t, active(), q)
		require.NoError(t, err)
		require.Equal(t, 64, n)
		require.InDelta(t, 240, time.Since(began).Seconds(), 5)
	})
}

func TestRecheckThatFailsIsRetried(t *testing.T) {
	t.Parallel()
	q := &queue{lists: [][]string{events(3)}, fail: map[string]error{"evt_0002": errAway}}
	_, err := recheck(t, active(), q)
	require.ErrorContains(t, err, errAway.Error())
}

package activities_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

func recheckAll(t *testing.T, q *queue, in activities.Recheck) (int, error) {
	t.Helper()
	in.EndpointRef = endpoint1
	return act[int](t, active(), q, "RecheckAll", in)
}

// TestRecheckAllSignalsEachOnce and reads the list again, until it has no delivery that is new.
func TestRecheckAllSignalsEachOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{running: [][]string{
			{"a", "b"},
			{"b", "c"},
			nil, // a list of two pages
			{"b", "d"},
			nil,
			{"c"},
			nil,
		}}
		alice := webhook.Instruction{By: "alice", Reason: "no"}
		n, err := recheckAll(t, q, activities.Recheck{Instruction: alice, Held: true})
		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.Equal(t, []string{"a", "b", "c", "d"}, q.told())
		require.Equal(t, []webhook.Instruction{alice, alice, alice, alice}, q.whys)
		require.Equal(t, 2*time.Second, time.Since(began))
		for _, b := range q.before {
			require.True(t, b.Equal(began), "a delivery that begins later finds the endpoint as it is")
		}
	})
}

func TestRecheckAllReadsTheListTwiceBeforeItFindsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, err := recheckAll(t, &queue{}, activities.Recheck{})
		require.NoError(t, err)
		require.Zero(t, n)
		q := &queue{running: [][]string{{}, {"late"}}}
		n, err = recheckAll(t, q, activities.Recheck{})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, []string{"late"}, q.told())
	})
}

// TestRecheckAllKeepsItsPace: two hundred at once, then two hundred a second.
func TestRecheckAllKeepsItsPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{running: [][]string{events(1000)}}
		n, err := recheckAll(t, q, activities.Recheck{})
		require.NoError(t, err)
		require.Equal(t, 1000, n)
		require.InDelta(t, 4, q.let[999].at.Sub(began).Seconds(), 0.01)
	})
}

// TestARecheckOfAllThatIsStopped is cancelled if its workflow asked for it, and retried if its
// worker stops, whatever the call at hand says of it.
func TestARecheckOfAllThatIsStopped(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cause     error
		cancelled bool
	}{"by its workflow": {temporal.NewCanceledError(), true}, "with its worker": {context.Canceled, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stop, prepare := cancellable(t)
			q := &queue{running: [][]string{events(3)}, on: func(id string) {
				if id == "evt_0001" {
					stop(tc.cause)
				}
			}}
			_, err := act[int](t, active(), q, "RecheckAll", activities.Recheck{EndpointRef: endpoint1}, prepare)
			require.Error(t, err)
			require.Equal(t, tc.cancelled, temporal.IsCanceledError(err))
			require.Equal(t, []string{"evt_0000"}, q.told())
		})
	}
}

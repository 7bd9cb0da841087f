package activities_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

func release(t *testing.T, k *keeper, q *queue, perSecond float64, prepare ...func(*testsuite.TestActivityEnvironment)) (activities.ReleaseResult, error) {
	t.Helper()
	return act[activities.ReleaseResult](t, k, q, "ReleaseHeld", activities.Release{EndpointRef: endpoint1, RatePerSecond: perSecond, Limit: 60}, prepare...)
}

// TestReleaseKeepsItsPace and its order. Each batch begins with a wait, so that batches keep it
// too.
func TestReleaseKeepsItsPace(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []float64{0.2, 10, 200, 1000} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			q := &queue{lists: [][]string{events(60)}}
			r, err := release(t, active(), q, perSecond)
			require.NoError(t, err)
			require.Equal(t, activities.ReleaseResult{Released: 60}, r)
			require.Equal(t, events(60), q.told(), "the oldest first")
			require.InEpsilon(t, 60/perSecond, time.Since(began).Seconds(), 0.01)
			for i := range 59 {
				require.InEpsilon(t, 1/perSecond, q.let[i+1].at.Sub(q.let[i].at).Seconds(), 0.01)
			}
			require.Equal(t, []int{60}, q.asked)
		})
	}
}

// TestSlowDeliveriesDoNotSlowTheRelease: sixteen are told at once.
func TestSlowDeliveriesDoNotSlowTheRelease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{lists: [][]string{events(60)}, on: func(string) { time.Sleep(50 * time.Millisecond) }}
		_, err := release(t, active(), q, 200)
		require.NoError(t, err)
		require.InEpsilon(t, 0.3+0.05, time.Since(began).Seconds(), 0.01)
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{lists: [][]string{events(60)}, on: func(string) { time.Sleep(time.Second) }}
		_, err := release(t, active(), q, 1000)
		require.NoError(t, err)
		require.InEpsilon(t, 4, time.Since(began).Seconds(), 0.01, "and no more")
	})
}

func TestReleaseCountsThoseThatWereHeld(t *testing.T) {
	t.Parallel()
	q := &queue{lists: [][]string{events(5)}, notHeld: map[string]bool{"evt_0001": true, "evt_0002": true}}
	r, err := release(t, active(), q, 1000)
	require.NoError(t, err)
	require.Equal(t, activities.ReleaseResult{Released: 3, Waiting: 2}, r, "of the two the list was behind")
}

func TestReleaseIsDoneOnlyAfterLookingTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r, err := release(t, active(), &queue{}, 10)
		require.NoError(t, err)
		require.Equal(t, activities.ReleaseResult{Done: true}, r)
		require.Equal(t, time.Second, time.Since(began), "the list is a moment behind")

		r, err = release(t, active(), &queue{lists: [][]string{nil, {"evt_late"}}}, 10)
		require.NoError(t, err)
		require.Equal(t, activities.ReleaseResult{Released: 1}, r)
	})
}

// TestACancelledReleaseSaysHowManyWent: the one at hand when the word came did not.
func TestACancelledReleaseSaysHowManyWent(t *testing.T) {
	t.Parallel()
	stop, prepare := cancellable(t)
	q := &queue{lists: [][]string{events(60)}, on: func(id string) {
		if id == "evt_0003" {
			stop(temporal.NewCanceledError())
		}
	}}
	_, err := release(t, active(), q, 20, prepare)
	cancelled := new(temporal.CanceledError)
	require.ErrorAs(t, err, &cancelled)
	went := q.told()
	require.NotContains(t, went, "evt_0003")
	require.Less(t, len(went), 30, "the word may take a moment")
	var r activities.ReleaseResult
	require.NoError(t, cancelled.Details(&r))
	require.Equal(t, activities.ReleaseResult{Released: len(went), Waiting: 60 - len(went)}, r)
}

// TestReleaseGoesOnAfterACrash: those who went are not on the list any more, but count.
func TestReleaseGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	q := &queue{lists: [][]string{{"evt_0041", "evt_0042"}}}
	r, err := release(t, active(), q, 1000, func(env *testsuite.TestActivityEnvironment) { env.SetHeartbeatDetails(41) })
	require.NoError(t, err)
	require.Equal(t, activities.ReleaseResult{Released: 43}, r)
}

// TestOurTroubleEndsATry with a heartbeat that says exactly how many went.
func TestOurTroubleEndsATry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last int
		q := &queue{
			lists: [][]string{events(60)}, notHeld: map[string]bool{"evt_0001": true}, fail: map[string]error{"evt_0005": errAway},
		}
		_, err := release(t, active(), q, 10, func(env *testsuite.TestActivityEnvironment) {
			env.SetHeartbeatDetails(10)
			env.SetOnActivityHeartbeatListener(func(_ *activity.Info, v converter.EncodedValues) { _ = v.Get(&last) })
		})
		require.ErrorContains(t, err, errAway.Error())
		require.False(t, temporal.IsCanceledError(err))
		require.Equal(t, events(5), q.told())
		require.Equal(t, 10+4, last)
	})
	_, err := release(t, active(), &queue{away: errAway}, 10)
	require.ErrorContains(t, err, errAway.Error())
}

func TestReleaseExtendsItsTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state       webhook.EndpointState
		left, after time.Duration // of Releasing; zero: unset
	}{
		"it takes longer than thought":  {webhook.EndpointActive, time.Second, 100*time.Second + time.Minute},
		"it was over":                   {webhook.EndpointActive, -time.Hour, 100*time.Second + time.Minute},
		"there is time enough":          {webhook.EndpointActive, 140 * time.Second, 140 * time.Second},
		"it was ended":                  {webhook.EndpointActive, 0, 0},
		"the endpoint is held or worse": {webhook.EndpointPaused, time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now().UTC()
				from := func(d time.Duration) (at time.Time) {
					if d != 0 {
						at = began.Add(d)
					}
					return at
				}
				k := &keeper{endpoint: webhook.Endpoint{State: tc.state, Releasing: from(tc.left)}}
				_, err := release(t, k, &queue{lists: [][]string{events(100)}}, 1)
				require.NoError(t, err)
				require.Equal(t, from(tc.after), k.endpoint.Releasing)
			})
		})
	}
}

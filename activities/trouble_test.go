package activities_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// TestTroubleOfOursIsNoDeferral: the first deferral after an hour without a registry waits as long
// as any first one.
func TestTroubleOfOursIsNoDeferral(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		trouble   activities.TurnTrouble
		attempt   int32
		deferrals int
	}{
		"the first turn":             {activities.TurnTrouble{}, 1, 1},
		"deferred three times":       {activities.TurnTrouble{}, 4, 4},
		"after an hour of trouble":   {activities.TurnTrouble{Retries: 66, Attempt: 66}, 67, 1},
		"deferred before and after":  {activities.TurnTrouble{Retries: 2, Attempt: 5}, 7, 5},
		"rechecked after trouble":    {activities.TurnTrouble{Retries: 66, Attempt: 66}, 1, 1},
		"rechecked, and then twice":  {activities.TurnTrouble{Retries: 66, Attempt: 66}, 2, 2},
		"more trouble than attempts": {activities.TurnTrouble{Retries: 9, Attempt: 2}, 3, 1},
	} {
		require.Equal(t, tc.deferrals, tc.trouble.Deferrals(tc.attempt), name)
	}
}

// TestTroubleOfOursIsRemembered by a heartbeat; a deferral and an endpoint that is gone send none.
func TestTroubleOfOursIsRemembered(t *testing.T) {
	t.Parallel()
	beats := func(f fakes, before ...any) (all []activities.TurnTrouble, err error) {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		lane := f.lane()
		env.RegisterActivity(lane)
		if len(before) > 0 {
			env.SetHeartbeatDetails(before[0])
		}
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			var beat activities.TurnTrouble
			require.NoError(t, details.Get(&beat))
			all = append(all, beat)
		})
		_, err = env.ExecuteActivity(lane.Attempt, turn)
		return all, err
	}
	failing := answering(200)
	failing.send = func(webhook.Delivery, int) (webhook.Attempt, error) { return webhook.Attempt{}, errAway }
	all, err := beats(failing)
	require.ErrorContains(t, err, errAway.Error())
	require.Equal(t, []activities.TurnTrouble{{Retries: 1, Attempt: 1}}, all)

	all, err = beats(failing, activities.TurnTrouble{Retries: 4, Attempt: 5})
	require.Error(t, err)
	require.Equal(t, []activities.TurnTrouble{{Retries: 1, Attempt: 1}}, all, "that was before a recheck")

	all, err = beats(deferring(webhook.DeferInternal), activities.TurnTrouble{Retries: 66, Attempt: 66})
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok)
	require.Equal(t, activities.TypeDeferred, app.Type())
	require.Less(t, app.NextRetryDelay(), time.Minute)
	require.Empty(t, all)

	gone := answering(200)
	gone.endpoint = func() (webhook.Endpoint, error) {
		return webhook.Endpoint{}, webhook.Errorf(webhook.NotFound, "endpoint ep_1 does not exist")
	}
	all, err = beats(gone)
	require.Error(t, err)
	require.Empty(t, all)
}

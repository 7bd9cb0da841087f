package activities_test

import (
	"context"
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

// window is one page of three deliveries.
type window struct {
	lists int
	away  error           // why there is no list
	on    func(id string) // hears of a redelivery before it is made
	fail  map[string]error
	done  []string
}

func (w *window) Undelivered(context.Context, webhook.Window, []byte) (ids []string, next []byte, err error) {
	w.lists++
	if w.away != nil {
		return nil, nil, w.away
	}
	return []string{"evt_1", "evt_2", "evt_3"}, []byte("next"), nil
}

func (w *window) Redeliver(_ context.Context, _, eventID, _ string, _ webhook.Instruction) error {
	if w.on != nil {
		w.on(eventID)
	}
	if err := w.fail[eventID]; err != nil {
		return err
	}
	w.done = append(w.done, eventID)
	return nil
}

func recoverPage(t *testing.T, w *window, env *testsuite.TestActivityEnvironment) (r activities.RecoveryPageResult, err error) {
	t.Helper()
	a := &activities.Recovery{Deliveries: w}
	env.RegisterActivity(a)
	answer, err := env.ExecuteActivity(a.RecoverPage, activities.RecoveryPage{RatePerSecond: 1000})
	if err != nil {
		return r, err
	}
	return r, answer.Get(&r)
}

func TestRecoverPageCountsWhatItSkips(t *testing.T) {
	t.Parallel()
	for _, code := range []webhook.Code{webhook.Conflict, webhook.Expired} { // under way, or its data is gone
		var suite testsuite.WorkflowTestSuite
		w := &window{fail: map[string]error{"evt_2": webhook.Errorf(code, "no")}}
		r, err := recoverPage(t, w, suite.NewTestActivityEnvironment())
		require.NoError(t, err)
		require.Equal(t, activities.RecoveryPageResult{Found: 3, Redelivered: 2, Skipped: 1, Next: []byte("next")}, r)
		require.Equal(t, []string{"evt_1", "evt_3"}, w.done)
	}
}

// TestARecoveryWithoutAList ends if no retry can bring one.
func TestARecoveryWithoutAList(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	r, err := recoverPage(t, &window{away: webhook.Errorf(webhook.NotFound, "no such endpoint")}, suite.NewTestActivityEnvironment())
	require.NoError(t, err)
	require.Equal(t, activities.RecoveryPageResult{Stopped: "the endpoint was deleted"}, r)

	_, err = recoverPage(t, &window{away: webhook.Invalidf("since", "is no time")}, suite.NewTestActivityEnvironment())
	app := new(temporal.ApplicationError)
	require.ErrorAs(t, err, &app)
	require.True(t, app.NonRetryable())
	require.Equal(t, activities.TypeBadWindow, app.Type())
	require.ErrorContains(t, err, "since is no time")

	_, err = recoverPage(t, &window{away: errAway}, suite.NewTestActivityEnvironment())
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable(), "ours is retried")
}

// TestACancelledRecoverySaysHowFarItCame, and remembers it after each delivery.
func TestACancelledRecoverySaysHowFarItCame(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	stop, prepare := cancellable(t)
	prepare(env)
	var last activities.RecoveryProgress
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, v converter.EncodedValues) { _ = v.Get(&last) })
	w := &window{on: func(id string) {
		if id == "evt_2" {
			stop(temporal.NewCanceledError())
		}
	}}
	_, err := recoverPage(t, w, env)
	cancelled := new(temporal.CanceledError)
	require.ErrorAs(t, err, &cancelled)
	var r activities.RecoveryPageResult
	require.NoError(t, cancelled.Details(&r))
	require.Equal(t, activities.RecoveryPageResult{Found: 3, Redelivered: 2, Next: []byte("next")}, r)
	require.Equal(t, []string{"evt_1", "evt_2"}, w.done)
	require.Equal(t, r, last.Result)
	require.Equal(t, 2, last.Done)
}

// TestRecoverPageStopsWithItsEndpoint: what follows would be refused as well.
func TestRecoverPageStopsWithItsEndpoint(t *testing.T) {
	t.Parallel()
	for code, why := range map[webhook.Code]string{
		webhook.Disabled: "the endpoint was disabled; what is left can be recovered once it is resumed",
		webhook.NotFound: "the endpoint was deleted",
	} {
		var suite testsuite.WorkflowTestSuite
		w := &window{fail: map[string]error{"evt_2": webhook.Errorf(code, "no")}}
		r, err := recoverPage(t, w, suite.NewTestActivityEnvironment())
		require.NoError(t, err)
		require.Equal(t, activities.RecoveryPageResult{Found: 3, Redelivered: 1, Stopped: why}, r)
		require.Equal(t, []string{"evt_1"}, w.done)
	}
}

// TestRecoverPageGoesOnWhereItStopped: a page begun again asks for no list and repeats nothing.
func TestRecoverPageGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	w := &window{}
	env := suite.NewTestActivityEnvironment()
	env.SetHeartbeatDetails(map[string]any{
		"event_ids": []string{"evt_1", "evt_2", "evt_3"}, "done": 2,
		"result": activities.RecoveryPageResult{Found: 3, Redelivered: 2, Next: []byte("next")},
	})
	r, err := recoverPage(t, w, env)
	require.NoError(t, err)
	require.Zero(t, w.lists)
	require.Equal(t, []string{"evt_3"}, w.done)
	require.Equal(t, activities.RecoveryPageResult{Found: 3, Redelivered: 3, Next: []byte("next")}, r)
}

func TestRecoverPageLetsTemporalRetryOurTrouble(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	w := &window{fail: map[string]error{"evt_2": errors.New("connection refused")}}
	_, err := recoverPage(t, w, suite.NewTestActivityEnvironment())
	require.ErrorContains(t, err, "connection refused")
}

func TestRecoverPageKeepsItsPace(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &activities.Recovery{Deliveries: &window{}}
	env.RegisterActivity(a)
	began := time.Now()
	_, err := env.ExecuteActivity(a.RecoverPage, activities.RecoveryPage{RatePerSecond: 20})
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond, "three at 20 a second")
}

package activities_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// window is one page of three deliveries.
type window struct {
	lists int
	fail  map[string]error
	done  []string
}

func (w *window) Undelivered(context.Context, webhook.Window, []byte) (ids []string, next []byte, err error) {
	w.lists++
	return []string{"evt_1", "evt_2", "evt_3"}, []byte("next"), nil
}

func (w *window) Redeliver(_ context.Context, _, eventID, _ string, _ webhook.Instruction) error {
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
	var suite testsuite.WorkflowTestSuite
	w := &window{fail: map[string]error{"evt_2": webhook.Errorf(webhook.Conflict, "under way")}}
	r, err := recoverPage(t, w, suite.NewTestActivityEnvironment())
	require.NoError(t, err)
	require.Equal(t, activities.RecoveryPageResult{Found: 3, Redelivered: 2, Skipped: 1, Next: []byte("next")}, r)
	require.Equal(t, []string{"evt_1", "evt_3"}, w.done)
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

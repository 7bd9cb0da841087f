package activities_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

type fakes struct {
	endpoint func() (webhook.Endpoint, error)
	send     func(webhook.Delivery, int) (webhook.Attempt, error)
	data     func() ([]byte, error)
}

func (f fakes) Endpoint(context.Context, string, string) (webhook.Endpoint, error) {
	return f.endpoint()
}

func (f fakes) Send(_ context.Context, d webhook.Delivery, n int) (webhook.Attempt, error) {
	return f.send(d, n)
}

func (f fakes) EventContent(context.Context, webhook.Event, string) (webhook.Content, error) {
	data, err := f.data()
	return webhook.Content{Data: data}, err
}

func answering(status int) fakes {
	return fakes{
		endpoint: func() (webhook.Endpoint, error) { return webhook.Endpoint{ID: "ep_1"}, nil },
		send: func(_ webhook.Delivery, n int) (webhook.Attempt, error) {
			return webhook.Attempt{Number: n, StatusCode: status}, nil
		},
		data: func() ([]byte, error) { return []byte(`1`), nil },
	}
}

func (f fakes) lane() *activities.Delivery {
	return &activities.Delivery{Endpoints: f, Sender: f, Events: f}
}

var turn = activities.Turn{Event: webhook.Event{Tenant: "demo", ID: "evt_1"}, EndpointID: "ep_1", Number: 1}

func raw(s string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{Data: []byte(s)})
}

func TestASuccessCarriesNoSchedule(t *testing.T) {
	t.Parallel()
	r, err := answering(204).lane().FastAttempt(t.Context(), turn, raw(`1`))
	require.NoError(t, err)
	require.Equal(t, activities.TurnResult{Attempt: &webhook.Attempt{Number: 1, StatusCode: 204}}, r)
}

func TestAFailureBringsTheSchedule(t *testing.T) {
	t.Parallel()
	r, err := answering(500).lane().FastAttempt(t.Context(), turn, raw(`1`))
	require.NoError(t, err)
	require.Equal(t, webhook.DefaultSchedule(), r.Schedule)
}

func TestFirstAttemptWaitsIfTheScheduleSaysSo(t *testing.T) {
	t.Parallel()
	f := answering(200)
	f.endpoint = func() (webhook.Endpoint, error) {
		return webhook.Endpoint{ID: "ep_1", Schedule: webhook.Schedule{time.Minute}}, nil
	}
	r, err := f.lane().FastAttempt(t.Context(), turn, raw(`1`))
	require.NoError(t, err)
	require.Nil(t, r.Attempt)
	require.Equal(t, webhook.DeferSchedule, r.Deferral.Reason)
}

func TestADeferralInTheFastLaneIsAResult(t *testing.T) {
	t.Parallel()
	r, err := deferring(webhook.DeferBreaker).lane().FastAttempt(t.Context(), turn, raw(`1`))
	require.NoError(t, err)
	require.Equal(t, webhook.DeferBreaker, r.Deferral.Reason)
	require.NotEmpty(t, r.Schedule)
}

func TestADeferralInTheDurableLaneIsTemporalsToRepeat(t *testing.T) {
	t.Parallel()
	for _, reason := range []webhook.DeferReason{webhook.DeferBreaker, webhook.DeferConcurrency, webhook.DeferLimit, webhook.DeferStopping} {
		_, err := execute(t, deferring(reason).lane())
		app, ok := errors.AsType[*temporal.ApplicationError](err)
		require.True(t, ok)
		require.Equal(t, activities.TypeDeferred, app.Type())
		require.False(t, app.NonRetryable())
		require.GreaterOrEqual(t, app.NextRetryDelay(), 500*time.Millisecond)
		require.Contains(t, app.Error(), string(reason))
	}
}

func TestAPausedEndpointIsTheWorkflowsToHold(t *testing.T) {
	t.Parallel()
	r, err := execute(t, deferring(webhook.DeferState).lane())
	require.NoError(t, err)
	require.Equal(t, webhook.DeferState, r.Deferral.Reason)
}

func deferring(reason webhook.DeferReason) fakes {
	f := answering(200)
	f.send = func(webhook.Delivery, int) (webhook.Attempt, error) {
		return webhook.Attempt{}, &webhook.Deferral{Reason: reason, WaitMS: 500}
	}
	return f
}

// execute runs the durable lane's turn as Temporal would.
func execute(t *testing.T, lane *activities.Delivery) (r activities.TurnResult, err error) {
	t.Helper()
	return executeTurn(t, lane, turn)
}

func executeTurn(t *testing.T, lane *activities.Delivery, in activities.Turn) (r activities.TurnResult, err error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(lane)
	answer, err := env.ExecuteActivity(lane.Attempt, in)
	if err != nil {
		return r, err
	}
	return r, answer.Get(&r)
}

func TestADeletedEndpointIsFinal(t *testing.T) {
	t.Parallel()
	f := answering(200)
	f.endpoint = func() (webhook.Endpoint, error) {
		return webhook.Endpoint{}, webhook.Errorf(webhook.NotFound, "endpoint ep_1 does not exist")
	}
	_, err := f.lane().Attempt(t.Context(), turn)
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok)
	require.True(t, app.NonRetryable())
	require.Equal(t, activities.TypeEndpointGone, app.Type())
	require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "ten thousand of them are no ten thousand lines of ERROR")
}

func TestOurOwnTroubleIsRetried(t *testing.T) {
	t.Parallel()
	f := answering(200)
	f.endpoint = func() (webhook.Endpoint, error) { return webhook.Endpoint{}, errors.New("disk I/O error") }
	_, err := execute(t, f.lane())
	require.ErrorContains(t, err, "disk I/O error")
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok)
	require.False(t, app.NonRetryable())
}

// attemptLog takes down what it is told.
type attemptLog struct{ attempts, deferrals []string }

func (l *attemptLog) Attempt(e webhook.Event, endpointID, runID string, a webhook.Attempt) {
	l.attempts = append(l.attempts, fmt.Sprint(e.ID, " ", endpointID, " ", runID, " ", a.StatusCode))
}

func (l *attemptLog) Deferred(e webhook.Event, endpointID, runID string, accepted time.Time, d webhook.Deferral) {
	l.deferrals = append(l.deferrals, fmt.Sprint(e.ID, " ", endpointID, " ", runID, " ", accepted.Year(), " ", d.Reason))
}

func TestTheLogIsToldOfEveryAttempt(t *testing.T) {
	t.Parallel()
	first := turn
	first.EventRunID, first.AcceptedAt = "event-run", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, status := range []int{200, 503} {
		l := &attemptLog{}
		lane := answering(status).lane()
		lane.Log = l
		_, err := lane.FastAttempt(t.Context(), first, raw(`1`))
		require.NoError(t, err)
		_, err = execute(t, lane)
		require.NoError(t, err)
		require.Equal(t, []string{fmt.Sprint("evt_1 ep_1 event-run ", status), fmt.Sprint("evt_1 ep_1 default-test-run-id ", status)}, l.attempts)
		require.Empty(t, l.deferrals)
	}
}

func TestTheLogIsToldOfTheFirstDeferralAlone(t *testing.T) {
	t.Parallel()
	l := &attemptLog{}
	first := turn
	first.EventRunID, first.AcceptedAt = "event-run", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	lane := deferring(webhook.DeferBreaker).lane()
	lane.Log = l
	_, err := lane.FastAttempt(t.Context(), first, raw(`1`))
	require.NoError(t, err)
	first.Number = 2
	_, err = lane.FastAttempt(t.Context(), first, raw(`1`))
	require.NoError(t, err)
	_, err = execute(t, lane)
	require.Error(t, err)
	f := answering(200)
	f.endpoint = func() (webhook.Endpoint, error) {
		return webhook.Endpoint{ID: "ep_1", Schedule: webhook.Schedule{time.Minute}}, nil
	}
	lane = f.lane()
	lane.Log = l
	first.Number = 1
	_, err = lane.FastAttempt(t.Context(), first, raw(`1`))
	require.NoError(t, err)
	require.Equal(t, []string{"evt_1 ep_1 event-run 2026 breaker_open", "evt_1 ep_1 event-run 2026 scheduled"}, l.deferrals)
	require.Empty(t, l.attempts)
}

package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// waiting is a delivery whose next attempt is an hour away.
func waiting() workflows.DeliveryInput {
	return workflows.DeliveryInput{
		Event: anEvent(), EndpointID: "ep_a", Schedule: webhook.Schedule{0, time.Hour, time.Hour},
		Attempts: []webhook.Attempt{{Number: 1, StatusCode: 500}},
	}
}

// runDelivery runs one and interferes after a second.
func runDelivery(t *testing.T, c *consumer, in workflows.DeliveryInput, interfere func(*testsuite.TestWorkflowEnvironment)) (workflows.DeliveryResult, time.Duration) {
	t.Helper()
	env := newEnv(t, c)
	if interfere != nil {
		env.RegisterDelayedCallback(func() { interfere(env) }, time.Second)
	}
	began := env.Now()
	env.ExecuteWorkflow(workflows.Delivery, in)
	require.NoError(t, env.GetWorkflowError())
	var r workflows.DeliveryResult
	require.NoError(t, env.GetWorkflowResult(&r))
	return r, env.Now().Sub(began)
}

func TestOperatorsOrders(t *testing.T) {
	t.Parallel()
	alice := webhook.Instruction{By: "alice", Reason: "wrong customer"}
	signal := func(name string, arg any) func(*testsuite.TestWorkflowEnvironment) {
		return func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(name, arg) }
	}
	update := func(name string, args ...any) func(*testsuite.TestWorkflowEnvironment) {
		return func(env *testsuite.TestWorkflowEnvironment) {
			env.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
				OnAccept: func() {}, OnReject: func(error) {}, OnComplete: func(any, error) {},
			}, args...)
		}
	}
	for name, tc := range map[string]struct {
		order  func(*testsuite.TestWorkflowEnvironment)
		want   workflows.DeliveryResult
		within time.Duration
	}{
		"retry-now as a signal":          {signal(workflows.SignalRetryNow, alice), workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, time.Minute},
		"retry-now without a word":       {signal(workflows.SignalRetryNow, nil), workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, time.Minute},
		"retry-now as an update":         {update(workflows.UpdateRetryNow, alice), workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, time.Minute},
		"cancel as a signal":             {signal(workflows.SignalCancel, alice), workflows.DeliveryResult{Status: webhook.Cancelled, Reason: "cancelled by alice: wrong customer", Attempts: 1}, time.Minute},
		"cancel without a word":          {signal(workflows.SignalCancel, nil), workflows.DeliveryResult{Status: webhook.Cancelled, Reason: "cancelled", Attempts: 1}, time.Minute},
		"cancel as an update":            {update(workflows.UpdateCancel, alice), workflows.DeliveryResult{Status: webhook.Cancelled, Reason: "cancelled by alice: wrong customer", Attempts: 1}, time.Minute},
		"a signal with garbage is noted": {signal(workflows.SignalCancel, "%&/"), workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, took := runDelivery(t, &consumer{}, waiting(), tc.order)
			require.Equal(t, tc.want, r)
			require.LessOrEqual(t, took, tc.within)
		})
	}
}

func TestRetryNowEndsADeferral(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {0, 0, 0, 200}}}
	in := waiting()
	in.Schedule = webhook.Schedule{0, time.Millisecond}
	r, _ := runDelivery(t, c, in, func(env *testsuite.TestWorkflowEnvironment) {
		env.SignalWorkflow(workflows.SignalRetryNow, nil)
	})
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, r)
	require.Len(t, c.sent["ep_a"], 1, "deferrals send nothing")
}

func TestGoneIsHeldAndRechecked(t *testing.T) {
	t.Parallel()
	in := waiting()
	in.Attempts[0].StatusCode = 410
	in.Schedule[1] = time.Second
	r, took := runDelivery(t, &consumer{}, in, func(env *testsuite.TestWorkflowEnvironment) {
		answer, err := env.QueryWorkflow(workflows.QueryReport)
		require.NoError(t, err)
		var report webhook.DeliveryReport
		require.NoError(t, answer.Get(&report))
		require.Equal(t, webhook.Held, report.Status)
		require.Equal(t, "the endpoint answered 410 Gone", report.Reason)
		require.Equal(t, in.Schedule, report.Schedule, "the attempts to come")
	})
	require.Equal(t, webhook.Delivered, r.Status)
	require.GreaterOrEqual(t, took, webhook.HeldCheck*8/10)
}

func TestAbortMessageEndsTheDelivery(t *testing.T) {
	t.Parallel()
	in := waiting()
	in.Attempts[0].Directive = webhook.DirectiveAbort
	r, _ := runDelivery(t, &consumer{}, in, nil)
	require.Equal(t, webhook.Rejected, r.Status)
	require.Contains(t, r.Reason, "abort-message")
}

func TestPausedEndpointHoldsWithoutAttempts(t *testing.T) {
	t.Parallel()
	c := &consumer{paused: 50}
	in := waiting()
	in.Attempts = nil
	r, took := runDelivery(t, c, in, nil)
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 1}, r)
	require.Greater(t, took, 40*webhook.HeldCheck)
}

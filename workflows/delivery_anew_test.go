package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// continueDelivery runs a delivery until it continues as new, and gives the input of the new run.
func continueDelivery(t *testing.T, env *testsuite.TestWorkflowEnvironment, in workflows.DeliveryInput) (next workflows.DeliveryInput) {
	t.Helper()
	env.ExecuteWorkflow(workflows.Delivery, in)
	var anew *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &anew)
	require.NoError(t, dataConverter.FromPayloads(anew.Input, &next))
	return next
}

func TestADeliveryContinuesAsNew(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{scripts: map[string][]int{"ep_a": {503}}})
	env.SetContinueAsNewSuggested(true)
	in := waiting()
	in.Redelivery = &webhook.Instruction{By: "alice"}
	carried := continueDelivery(t, env, in)
	require.Equal(t, in.Attempts, carried.Attempts)
	require.Equal(t, in.Schedule, carried.Schedule)
	require.Equal(t, in.Redelivery, carried.Redelivery)
	require.Equal(t, webhook.Retrying, carried.Carried.Status)
	require.InDelta(t, time.Hour, carried.Carried.Next, float64(time.Hour)/5)

	r, took := runDelivery(t, &consumer{}, carried, nil)
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, r)
	require.InDelta(t, time.Hour, took, float64(time.Hour)/5, "the wait goes on")
}

// TestInstructionsAreCarried: a signal that comes with the last task of a run is not lost with it.
func TestInstructionsAreCarried(t *testing.T) {
	t.Parallel()
	alice := webhook.Instruction{By: "alice", Reason: "wrong customer"}
	c := &consumer{scripts: map[string][]int{"ep_a": {503}}}
	env := newEnv(t, c)
	c.sending = func() {
		env.SetContinueAsNewSuggested(true)
		env.SignalWorkflow(workflows.SignalCancel, alice)
		env.SignalWorkflow(workflows.SignalRetryNow, nil)
	}
	carried := continueDelivery(t, env, waiting())
	require.Len(t, carried.Attempts, 2)
	require.Equal(t, &alice, carried.Carried.Inbox.Cancel)
	require.True(t, carried.Carried.Inbox.RetryNow)

	r, took := runDelivery(t, &consumer{}, carried, nil)
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Cancelled, Reason: "cancelled by alice: wrong customer", Attempts: 2}, r)
	require.Less(t, took, time.Minute)
}

// TestAParkedDeliveryKeepsItsTime: a new run does not give a person another week.
func TestAParkedDeliveryKeepsItsTime(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{})
	env.SetStartTime(happened)
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 3*24*time.Hour)
	in := heldDelivery()
	in.Parked, in.Deferral = "in circles", &webhook.Deferral{Reason: webhook.DeferState, Detail: "in circles"}
	carried := continueDelivery(t, env, in)
	require.Equal(t, happened.Add(webhook.ParkedTimeout), carried.Carried.ParkedUntil)

	env = newEnv(t, &consumer{})
	env.SetStartTime(happened.Add(3 * 24 * time.Hour))
	r, took := ran(t, env, carried)
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Rejected, Reason: "it was not let go in time: in circles"}, r)
	require.InDelta(t, 4*24*time.Hour, took, float64(8*time.Hour))
}

// TestTheAttemptsOfADeliveryAreBounded: each may hold 4 KiB of an answer, and probes add to them
// without end.
func TestTheAttemptsOfADeliveryAreBounded(t *testing.T) {
	t.Parallel()
	in := waiting()
	in.Attempts, in.Carried = nil, &workflows.Carried{Status: webhook.Held, Next: time.Hour, Deferrals: 2}
	for i := range 100 {
		in.Attempts = append(in.Attempts, webhook.Attempt{Number: 51 + i, StatusCode: 503})
	}
	c := &consumer{scripts: map[string][]int{"ep_a": {503}}}
	env := newEnv(t, c)
	env.SetStartTime(happened)
	for i := range 3 {
		updateAfter(env, time.Duration(i+1)*time.Second, workflows.UpdateProbe)
	}
	env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 10*time.Second)
	updateAfter(env, 11*time.Second, workflows.UpdateProbe)
	carried := continueDelivery(t, env, in)
	require.Equal(t, []int{151, 152, 153, 154}, c.numbers["ep_a"])
	require.Len(t, carried.Attempts, 100)
	require.Equal(t, 55, carried.Attempts[0].Number)
}

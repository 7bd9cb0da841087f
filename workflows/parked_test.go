package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// runParked runs an event that has passed by too often, and does something to its one delivery.
func runParked(t *testing.T, c *consumer, after time.Duration, do func(env *testsuite.TestWorkflowEnvironment)) webhook.DeliveryReport {
	t.Helper()
	env := newEnv(t, c)
	e := anEvent()
	e.Hops = webhook.MaxHops
	checkAfter(t, env, after, func() {
		require.Empty(t, c.sent, "nothing goes without a person's word")
		require.Equal(t, webhook.Held, report(t, env).Deliveries[0].Status)
		do(env)
	})
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: e, EndpointIDs: []string{"ep_a"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	return report(t, env).Deliveries[0]
}

func report(t *testing.T, env *testsuite.TestWorkflowEnvironment) (r workflows.EventReport) {
	t.Helper()
	v, err := env.QueryWorkflow(workflows.QueryReport)
	require.NoError(t, err)
	require.NoError(t, v.Get(&r))
	return r
}

func signal(t *testing.T, name string, v any) func(*testsuite.TestWorkflowEnvironment) {
	return func(env *testsuite.TestWorkflowEnvironment) {
		require.NoError(t, env.SignalWorkflowByID(workflows.DeliveryWorkflowID("demo", "evt_1", "ep_a"), name, v))
	}
}

func TestParkedWaitsForAPerson(t *testing.T) {
	t.Parallel()
	c := &consumer{}
	d := runParked(t, c, 50*time.Hour, signal(t, workflows.SignalRetryNow, webhook.Instruction{By: "zoë"}))
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, c.sent["ep_a"], 1)
}

func TestParkedIsCancelled(t *testing.T) {
	t.Parallel()
	c := &consumer{}
	d := runParked(t, c, time.Hour, signal(t, workflows.SignalCancel, webhook.Instruction{By: "zoë", Reason: "a loop"}))
	require.Equal(t, webhook.Cancelled, d.Status)
	require.Equal(t, "cancelled by zoë: a loop", d.Reason)
	require.Empty(t, c.sent)
}

// TestParkedOnlyRechecks: an approval cannot let go what waits for a person. It ends with its
// endpoint.
func TestParkedOnlyRechecks(t *testing.T) {
	t.Parallel()
	c := &consumer{gone: map[string]bool{}}
	d := runParked(t, c, time.Hour, func(env *testsuite.TestWorkflowEnvironment) {
		signal(t, workflows.SignalRecheck, webhook.Instruction{})(env)
		checkAfter(t, env, time.Minute, func() {
			require.Empty(t, c.sent)
			require.Equal(t, webhook.Held, report(t, env).Deliveries[0].Status)
			c.mu.Lock()
			c.gone["ep_a"] = true
			c.mu.Unlock()
			signal(t, workflows.SignalRecheck, webhook.Instruction{})(env)
		})
	})
	require.Equal(t, webhook.Cancelled, d.Status)
	require.Empty(t, c.sent)
}

// TestParkedEndsUnanswered without a word in a week.
func TestParkedEndsUnanswered(t *testing.T) {
	t.Parallel()
	c := &consumer{}
	d := runParked(t, c, 6*24*time.Hour, func(*testsuite.TestWorkflowEnvironment) {})
	require.Equal(t, webhook.Rejected, d.Status)
	require.Contains(t, d.Reason, "it was not let go in time: the event has passed through Hookloop 8 times")
	require.Empty(t, c.sent)
}

// TestEchoGoesToNoEndpoint, and stands in the history with what it is.
func TestEchoGoesToNoEndpoint(t *testing.T) {
	t.Parallel()
	e := anEvent()
	e.Origin = &webhook.Origin{SourceID: "src_1", Provider: "hmac", Key: "k", Application: "crm", EchoOf: "evt_0"}
	in := workflows.EventInput{Event: e}
	require.Equal(t, "contact.updated → no endpoint, an echo", in.Summary())
	env := newEnv(t, &consumer{})
	env.ExecuteWorkflow(workflows.Event, in, raw(data))
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, workflows.EventReport{Status: webhook.EventDelivered}, report(t, env))
}

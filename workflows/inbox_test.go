package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/testsuite"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestASignalThatMakesNoSenseIsExplained: a text or a list, as a person may type into the Temporal
// UI, changes nothing, and the details say what the input may be.
func TestASignalThatMakesNoSenseIsExplained(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]any{"a text": "now, please", "a list": []string{"alice"}, "a number": 7} {
		for _, signal := range []string{workflows.SignalRetryNow, workflows.SignalCancel} {
			env := newEnv(t, &consumer{})
			var details string
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(signal, input) }, time.Second)
			env.RegisterDelayedCallback(func() { details = currentDetails(t, env) }, 2*time.Second)
			env.ExecuteWorkflow(workflows.Delivery, waiting())
			require.NoError(t, env.GetWorkflowError())
			var r workflows.DeliveryResult
			require.NoError(t, env.GetWorkflowResult(&r))
			require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, r)
			require.Contains(t, details, "The signal `"+signal+"` at ", name)
			require.Contains(t, details, `was ignored: its input may be empty, or {"by": "…", "reason": "…"}`, name)
			require.NotContains(t, details, "please")
		}
	}
}

// TestAnUpdateThatMakesNoSenseIsRefused, of whatever workflow, with the words that a signal's
// sender finds in the details.
func TestAnUpdateThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for _, update := range []string{workflows.UpdateRetryNow, workflows.UpdateCancel} {
		env := newEnv(t, &consumer{})
		answer := updateAfter(env, time.Second, update, "now, please")
		r, took := ran(t, env, waiting())
		require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, r)
		require.Greater(t, took, 40*time.Minute, "nothing was cut short")
		require.False(t, answer.completed)
		require.ErrorContains(t, answer.rejected, `its input may be empty, or {"by": "…", "reason": "…"}`)
		require.NotContains(t, answer.rejected.Error(), "please")
	}
}

// TestASignalThatMakesNoSenseIsExplainedByAnApproval, as by a delivery.
func TestASignalThatMakesNoSenseIsExplainedByAnApproval(t *testing.T) {
	t.Parallel()
	for _, signal := range []string{
		workflows.SignalApprove, workflows.SignalReject, workflows.SignalResume, workflows.SignalFailing,
		workflows.SignalRecovered, workflows.SignalEnd,
	} {
		e := newApproval(t, failingEndpoint(1))
		e.signal(2*time.Hour, signal, "now, please")
		checkAfter(t, e, 3*time.Hour, func() {
			details := e.details()
			require.Contains(t, details, "The signal `"+signal+"` at 2026-01-31T14:00:00Z was ignored: its input may be empty, or")
			require.NotContains(t, details, "please")
			e.SignalWorkflow(workflows.SignalReject, nil)
		})
		r, _ := e.run()
		require.Equal(t, webhook.ApprovalRejected, r.Status, signal)
	}
}

func currentDetails(t *testing.T, env *testsuite.TestWorkflowEnvironment) string {
	t.Helper()
	v, err := env.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(t, err)
	var m sdkpb.WorkflowMetadata
	require.NoError(t, v.Get(&m))
	return m.GetCurrentDetails()
}

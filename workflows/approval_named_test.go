package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestADecisionWithoutANameChangesNothing, where the policy wants one: an update is refused with
// the way to do it, a signal is answered in the details. One with a name is taken.
func TestADecisionWithoutANameChangesNothing(t *testing.T) {
	t.Parallel()
	for name, policyComes := range map[string]bool{"from the beginning": false, "while people are asked": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(3)
			w.endpoint.Approval.Named = !policyComes
			e := newApproval(t, w)
			var details string
			var state webhook.EndpointState
			e.RegisterDelayedCallback(func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.endpoint.Approval.Named = true
			}, 90*time.Minute)
			e.signal(2*time.Hour, workflows.SignalReject, webhook.Decision{Reason: "no name"})
			e.RegisterDelayedCallback(func() { details, state = e.details(), w.endpoint.State }, 3*time.Hour)
			refused := e.update(4*time.Hour, workflows.UpdateApprove, webhook.Decision{})
			taken := e.update(5*time.Hour, workflows.UpdateApprove, alice)
			r, _ := e.run()
			require.Contains(t, details, "ignored: the endpoint's approval policy wants decisions with a name")
			require.Contains(t, details, "hookloop approval")
			require.Contains(t, details, "the input must say who you are")
			require.Equal(t, webhook.EndpointHeld, state)
			require.ErrorContains(t, *refused, "wants decisions with a name")
			require.NoError(t, *taken)
			require.Equal(t, webhook.ApprovalReleased, r.Status)
			require.Equal(t, "alice", r.Decision.By)
		})
	}
}

// TestAResumeWithoutANameBeginsNothing: the endpoint stays paused.
func TestAResumeWithoutANameBeginsNothing(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	w.endpoint.State, w.endpoint.Approval.Named = webhook.EndpointPaused, true
	e := approvalAt(t, w, happened)
	e.signal(0, workflows.SignalResume, webhook.Decision{})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, webhook.EndpointPaused, w.endpoint.State)
	require.Len(t, w.held, 3)
}

// TestAResumeWithANameIsNotIgnoredWithAnother, beside which it came: it counts.
func TestAResumeWithANameIsNotIgnoredWithAnother(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	w.endpoint.State, w.endpoint.Approval.Named = webhook.EndpointPaused, true
	e := approvalAt(t, w, happened)
	e.signal(0, workflows.SignalResume, webhook.Decision{})
	e.during("ReadEndpoint", 2, func() { // the policy is read anew
		e.SignalWorkflow(workflows.SignalResume, alice)
	})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, "alice", r.Decision.By)
	require.Empty(t, w.held)
}

// TestADecisionWithoutANameIsTaken where the policy does not want one.
func TestADecisionWithoutANameIsTaken(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalApprove, webhook.Decision{})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalReleased, r.Status)
}

package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// refusal is news of an endpoint that has refused everything since a time after happened.
func refusal(since time.Duration) webhook.Failing {
	at := happened.Add(since)
	return webhook.Failing{Answer: webhook.Answer{At: at.Add(time.Minute), EventID: "evt_005", StatusCode: 400}, RefusesSince: &at}
}

// TestAnEndpointThatRefusesEverythingIsAskedAbout, an hour after the first refusal, and one report
// is enough.
func TestAnEndpointThatRefusesEverythingIsAskedAbout(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := approvalAt(t, w, happened.Add(time.Minute))
	e.signal(0, workflows.SignalFailing, refusal(0))
	checkAfter(t, e, 58*time.Minute, func() { require.Equal(t, webhook.EndpointActive, w.endpoint.State) })
	checkAfter(t, e, 60*time.Minute, func() {
		require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
		require.Equal(t, "it has taken nothing since 2026-01-31T12:00:00Z and refuses one event after the other, last with HTTP 400", w.endpoint.StateReason)
		e.SignalWorkflow(workflows.SignalReject, nil)
	})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalRejected, r.Status)
}

// TestOnlyADeliveryThatIsTakenIsARecovery: while it fails, an endpoint that refuses an event has
// not recovered.
func TestOnlyADeliveryThatIsTakenIsARecovery(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(30*time.Minute, workflows.SignalFailing, refusal(20*time.Minute))
	e.signal(50*time.Minute, workflows.SignalRecovered, webhook.Answer{At: happened.Add(50 * time.Minute), EventID: "evt_9", StatusCode: 200})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.Equal(t, "it took a delivery: HTTP 200", r.Reason)
	require.Equal(t, "evt_9", r.LastAnswers[len(r.LastAnswers)-1].EventID)
}

// TestAReleaseIntoRefusalsIsHeldAfterAWhile: some poisoned events do not stop it, an hour of
// nothing else does.
func TestAReleaseIntoRefusalsIsHeldAfterAWhile(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		since time.Duration
		end   webhook.ApprovalStatus
	}{
		"for ten minutes": {110 * time.Minute, webhook.ApprovalReleased},
		"for an hour":     {time.Hour, webhook.ApprovalRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(4)
			e := newApproval(t, w)
			e.signal(2*time.Hour, workflows.SignalApprove, alice)
			e.during("ReleaseHeld", 1, func() { e.SignalWorkflow(workflows.SignalFailing, refusal(tc.since)) })
			if tc.end == webhook.ApprovalRejected {
				checkAfter(t, e, 3*time.Hour, func() {
					require.Contains(t, w.endpoint.StateReason, "it has taken nothing since 2026-01-31T13:00:00Z and refuses one event after the other")
					require.Contains(t, w.endpoint.StateReason, ", during its release")
					e.SignalWorkflow(workflows.SignalReject, nil)
				})
			}
			r, _ := e.run()
			require.Equal(t, tc.end, r.Status)
		})
	}
}

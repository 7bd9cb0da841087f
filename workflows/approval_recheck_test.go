package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestARecoveryBringsWhatWasDeferredOnItsWay, before the episode ends.
func TestARecoveryBringsWhatWasDeferredOnItsWay(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(0)
	w.waiting = []string{"evt_001", "evt_002", "evt_003"}
	env := newApproval(t, w)
	env.signal(time.Minute, workflows.SignalRecovered, nil)
	r, took := env.run()
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.ElementsMatch(t, w.waiting, w.rechecked)
	require.Less(t, took, 10*time.Minute)
	require.Empty(t, w.announced, "people were not asked")
}

// TestAnEndpointThatFailsDuringItsRecoveryIsWatchedAnew: the time until people are asked begins
// again.
func TestAnEndpointThatFailsDuringItsRecoveryIsWatchedAnew(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(1)
	env := newApproval(t, w)
	env.signal(50*time.Minute, workflows.SignalRecovered, nil)
	again := failure(false)
	again.Answer.At = happened.Add(50 * time.Minute)
	env.signal(50*time.Minute+time.Millisecond, workflows.SignalFailing, again)
	env.signal(100*time.Minute, workflows.SignalRecovered, nil)
	r, _ := env.run()
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.Empty(t, w.announced, "it failed for fifty minutes twice, and never for an hour")
}

// TestAFailureDuringARecoveryIsNotForgotten: the episode goes on, though what was deferred is under
// way.
func TestAFailureDuringARecoveryIsNotForgotten(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(1)
	w.waiting = []string{"evt_001", "evt_002"}
	env := newApproval(t, w)
	env.signal(50*time.Minute, workflows.SignalRecovered, nil)
	again := failure(false)
	again.Answer.At = happened.Add(50 * time.Minute)
	env.during("RecheckDeferred", 1, func() { env.SignalWorkflow(workflows.SignalFailing, again) })
	checkAfter(t, env, 105*time.Minute, func() {
		require.Equal(t, webhook.ApprovalWatching, env.report().Status)
		require.Equal(t, again.Answer.At, env.report().FailingSince.UTC())
	})
	env.signal(2*time.Hour, workflows.SignalReject, webhook.Decision{By: "bob"})
	r, _ := env.run()
	require.Equal(t, webhook.ApprovalRejected, r.Status, "people were asked an hour after it failed again")
}

// TestAFailureReportedAgainIsPastWithTheRecovery: each open breaker reports it again while the
// endpoint is watched.
func TestAFailureReportedAgainIsPastWithTheRecovery(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(0)
	w.waiting = []string{"evt_001", "evt_002", "evt_003"}
	env := newApproval(t, w)
	env.signal(30*time.Second, workflows.SignalFailing, failure(false))
	env.signal(time.Minute, workflows.SignalRecovered, nil)
	r, _ := env.run()
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.ElementsMatch(t, w.waiting, w.rechecked)
	require.Empty(t, w.announced, "people were not asked")
}

// TestOnlyAnHourOfFailingAsks: however often a failure is reported, people are asked about an
// endpoint that took nothing for an hour, and about no other.
func TestOnlyAnHourOfFailingAsks(t *testing.T) {
	t.Parallel()
	for reports, asked := range map[string]bool{ // ten minutes a letter: the endpoint fails, recovers, is silent
		"ffffr": false, "f.f.fr": false, "r": false, ".....r": false,
		"......r": true, "ffffffr": true, "": true,
	} {
		t.Run(reports, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(0)
			env := newApproval(t, w)
			for i, report := range reports {
				at := time.Duration(i+1)*10*time.Minute - time.Second
				again := failure(false)
				again.Answer.At = happened.Add(at)
				switch report {
				case 'f':
					env.signal(at, workflows.SignalFailing, again)
				case 'r':
					env.signal(at, workflows.SignalRecovered, nil)
				}
			}
			r, _ := env.run()
			require.Equal(t, asked, len(w.announced) > 0, r.Reason)
		})
	}
}

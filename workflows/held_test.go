package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestHeldItRechecksSoonWhateverDeferredItBefore: it may have read that its endpoint was held just
// before a release that did not see it.
func TestHeldItRechecksSoonWhateverDeferredItBefore(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]webhook.Deferral{
		"held by its first turn": {Reason: webhook.DeferState},
		"an open breaker before": {Reason: webhook.DeferBreaker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &consumer{paused: 1}
			if why.Reason == webhook.DeferState {
				c.paused = 0 // that turn is over
			}
			r, took := runDelivery(t, c, workflows.DeliveryInput{
				Event: anEvent(), EndpointID: "ep_a", Schedule: webhook.Schedule{0}, Deferral: &why,
			}, nil)
			require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 1}, r)
			require.GreaterOrEqual(t, took, webhook.FirstHeldCheck*4/5)
			require.Less(t, took, webhook.DeferWait(why, 1, "evt_1/ep_a")+webhook.FirstHeldCheck*6/5)
		})
	}
}

// TestAResumeAtNoPaceIsIgnored: an approval started with it waits for something that makes sense.
func TestAResumeAtNoPaceIsIgnored(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(time.Minute, workflows.SignalResume, webhook.Decision{By: "alice", RatePerSecond: -5})
	checkAfter(t, e, time.Minute+time.Second, func() {
		require.Contains(t, e.details(), "was ignored: rate_per_second must lie between")
	})
	e.signal(2*time.Minute, workflows.SignalRecovered, nil)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.Empty(t, w.released)
}

package workflows_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestOnlyWhatIsTakenPassesAProbe. One event that is refused may be poisoned: up to three are
// tried.
func TestOnlyWhatIsTakenPassesAProbe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		held    int
		answers []int
		sent    int
		why     string // the probe failed; empty: it passed
	}{
		"taken":                        {9, []int{204}, 1, ""},
		"nothing waits":                {0, nil, 0, ""},
		"nothing is there":             {9, []int{404}, 1, "the probe failed: HTTP 404"},
		"a page to log in":             {9, []int{302}, 1, "the probe failed: HTTP 302"},
		"one is poisoned":              {9, []int{400, 200}, 2, ""},
		"two are":                      {9, []int{400, 422, 200}, 3, ""},
		"everything is refused":        {9, []int{400, 422, 413}, 3, "the probe failed: HTTP 400, HTTP 422, HTTP 413"},
		"refused, then nothing is up":  {9, []int{400, 503}, 2, "the probe failed: HTTP 400, HTTP 503"},
		"all that waits is refused":    {2, []int{400, 400}, 2, "the probe failed: HTTP 400, HTTP 400"},
		"the only one that waits is":   {1, []int{400}, 1, "the probe failed: HTTP 400"},
		"it asks to be disabled again": {9, []int{410}, 1, "the probe failed: HTTP 410"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(tc.held)
			for _, status := range tc.answers {
				w.probes = append(w.probes, answered(status))
			}
			e := newApproval(t, w)
			e.signal(2*time.Hour, workflows.SignalApprove, alice)
			if tc.why != "" {
				checkAfter(t, e, 3*time.Hour-time.Minute, func() {
					require.Equal(t, tc.why, w.endpoint.StateReason)
					require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
					require.Empty(t, w.released, "the others do not follow")
					e.SignalWorkflow(workflows.SignalReject, nil)
				})
			}
			var orders []activities.ProbeOrder
			e.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
				var o activities.ProbeOrder
				if info.ActivityType.Name == "ProbeOldest" && args.Get(&o) == nil {
					orders = append(orders, o)
				}
			})
			r, _ := e.run()
			require.Len(t, w.probed, tc.sent)
			for i, o := range orders {
				require.Len(t, o.After, i, "the list may still have those that were refused")
			}
			if tc.why != "" {
				require.Equal(t, webhook.ApprovalRejected, r.Status)
				return
			}
			require.Equal(t, webhook.ApprovalReleased, r.Status)
			require.Equal(t, webhook.EndpointActive, w.endpoint.State)
			require.Empty(t, w.held)
			require.Equal(t, tc.held-max(tc.sent-1, 0), r.Released, "with the one that was taken, without those that were refused")
			var events []string
			for _, a := range r.LastAnswers[1:] { // after the failure it began with
				events = append(events, a.EventID)
			}
			for i, id := range events {
				require.Equal(t, fmt.Sprintf("evt_%03d", i), id, "each is another event")
			}
		})
	}
}

// TestAPauseDuringAProbeStopsIt between two events.
func TestAPauseDuringAProbeStopsIt(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(5)
	w.probes = []webhook.Probe{answered(400)}
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalApprove, alice)
	e.during("ProbeOldest", 2, func() { e.pauses(w) })
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, webhook.EndpointPaused, w.endpoint.State)
	require.Len(t, w.probed, 2)
}

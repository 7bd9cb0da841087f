package workflows_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var alice = webhook.Decision{By: "alice", Reason: "mended", RatePerSecond: 100}

func TestPeopleAreNotAskedAboutAnEndpointThatRecovers(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(59*time.Minute, workflows.SignalRecovered, nil)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.Equal(t, webhook.EndpointActive, w.endpoint.State)
	require.Empty(t, w.announced)
}

func TestAfterAnHourPeopleAreAsked(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(25)
	e := newApproval(t, w)
	early := e.update(30*time.Minute, workflows.UpdateApprove, alice)
	checkAfter(t, e, 59*time.Minute, func() { require.Equal(t, webhook.EndpointActive, w.endpoint.State) })
	checkAfter(t, e, 61*time.Minute, func() {
		require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
		require.Equal(t, "it has been failing since 2026-01-31T12:00:00Z, last with HTTP 503", w.endpoint.StateReason)
	})
	approved := e.update(2*time.Hour, workflows.UpdateApprove, alice)
	late := e.update(2*time.Hour, workflows.UpdateReject, webhook.Decision{By: "bob"})
	r, _ := e.run()
	require.ErrorContains(t, *early, "the endpoint is not held: it may still recover by itself")
	require.NoError(t, *approved)
	require.ErrorContains(t, *late, "the approval is probing; it was approved by alice: mended")
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, 25, r.Released)
	require.Equal(t, "alice", r.Decision.By)
	require.Equal(t, "approved by alice: mended; 25 released", r.Reason)
	require.Len(t, w.probed, 1)
	require.Len(t, w.released, 24)
	for i, id := range w.released { // the oldest first, but for those released at the same time
		require.InDelta(t, i+1, rank(t, id), 16, id)
	}
	require.Equal(t, webhook.EndpointActive, w.endpoint.State)
	require.Empty(t, w.endpoint.StateReason)
	require.Zero(t, w.endpoint.Releasing)
	require.Equal(t, []string{webhook.EventEndpointHeld, webhook.EventEndpointReleased, webhook.EventEndpointRecovered}, w.announcedTypes())
	var data map[string]any
	require.NoError(t, json.Unmarshal(w.announced[0].Data, &data))
	require.Equal(t, "held", data["state"])
	require.InDelta(t, 25, data["waiting"], 0)
	require.NotEmpty(t, data["last_answers"])
	require.Equal(t, "2026-02-07T13:00:00Z", data["decide_by"])
	require.NotContains(t, string(w.announced[0].Data), "secret")
}

// rank is the number in the id of an event.
func rank(t *testing.T, id string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(id, "evt_"))
	require.NoError(t, err)
	return n
}

func TestGoneIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(1)
	e := newApproval(t, w)
	e.signal(time.Second, workflows.SignalFailing, failure(true))
	e.signal(time.Minute, workflows.SignalReject, nil)
	r, took := e.run()
	require.Equal(t, webhook.ApprovalRejected, r.Status)
	require.Equal(t, "rejected", r.Reason)
	require.Less(t, took, 2*time.Minute)
	require.Equal(t, webhook.EndpointDisabled, w.endpoint.State)
	require.Equal(t, []string{"evt_000"}, w.recheckedAll)
	require.Equal(t, []string{webhook.EventEndpointHeld, webhook.EventEndpointRejected}, w.announcedTypes())
}

func TestWithoutAnAnswerItIsRejected(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(1)
	r, took := newApproval(t, w).run()
	require.Equal(t, webhook.ApprovalRejected, r.Status)
	require.Equal(t, "rejected: no decision within 168h0m0s", r.Reason)
	require.InDelta(t, 169*time.Hour, took, float64(time.Minute))
	want := []string{webhook.EventEndpointHeld}
	for range 6 { // the seventh day is the last
		want = append(want, webhook.EventEndpointReminder)
	}
	require.Equal(t, append(want, webhook.EventEndpointRejected), w.announcedTypes())
	keys := map[string]bool{}
	for _, a := range w.announced {
		keys[a.Key] = true
	}
	require.Len(t, keys, len(w.announced), "each is an event of its own")
}

func TestAFailedProbeAsksAgain(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	w.probes = []webhook.Probe{bad, answered(200)}
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalApprove, alice)
	checkAfter(t, e, 3*time.Hour, func() {
		require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
		require.Equal(t, "the probe failed: HTTP 503", w.endpoint.StateReason)
		require.Empty(t, w.released)
	})
	e.signal(4*time.Hour, workflows.SignalApprove, alice)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Len(t, w.probed, 2)
}

func TestAnEndpointThatFailsDuringItsReleaseIsHeldAgain(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalApprove, alice)
	released := false
	e.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "ReleaseHeld" && !released {
			released = true
			e.SignalWorkflow(workflows.SignalFailing, failure(false))
		}
	})
	checkAfter(t, e, 3*time.Hour, func() {
		require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
		require.Equal(t, "it failed again during its release, with HTTP 503", w.endpoint.StateReason)
	})
	e.signal(4*time.Hour, workflows.SignalReject, nil)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalRejected, r.Status)
}

func TestNonsenseIsIgnored(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(1)
	e := newApproval(t, w)
	for i, garbage := range []any{"approve, please", 42, []int{1}, webhook.Decision{RatePerSecond: -1}} {
		e.signal(2*time.Hour+time.Duration(i)*time.Second, workflows.SignalApprove, garbage)
	}
	e.signal(2*time.Hour, workflows.SignalFailing, "garbage")
	refused := e.update(3*time.Hour, workflows.UpdateApprove, webhook.Decision{RatePerSecond: 1e9})
	checkAfter(t, e, 4*time.Hour, func() { require.Equal(t, webhook.EndpointHeld, w.endpoint.State) })
	garbage := e.update(3*time.Hour, workflows.UpdateApprove, "please")
	empty := e.update(5*time.Hour, workflows.UpdateApprove)
	r, _ := e.run()
	require.ErrorContains(t, *refused, "rate_per_second must lie between 0.1 and 1000")
	require.ErrorContains(t, *garbage, `its input may be empty, or {"by"`)
	require.NoError(t, *empty)
	require.Equal(t, webhook.ApprovalReleased, r.Status)
}

func TestPausedMeanwhile(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(2)
	e := newApproval(t, w)
	by := webhook.End{Kind: webhook.EndPaused, Instruction: webhook.Instruction{By: "bob", Reason: "maintenance"}}
	e.signal(2*time.Hour, workflows.SignalEnd, by)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, "the endpoint was paused by bob: maintenance", r.Reason)
	require.Equal(t, webhook.EndpointPaused, w.endpoint.State)
	require.Len(t, w.held, 2, "they stay")
}

func TestPausedBeforeItWasAsked(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(2)
	w.endpoint.State = webhook.EndpointPaused
	r, _ := newApproval(t, w).run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, webhook.EndpointPaused, w.endpoint.State)
	require.Empty(t, w.announced)
}

func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, reported := range map[string]bool{"and reported": true, "and not reported": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(2)
			e := newApproval(t, w)
			e.RegisterDelayedCallback(func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.deleted = true
			}, 2*time.Hour)
			if reported {
				e.signal(2*time.Hour, workflows.SignalEnd, webhook.End{Kind: webhook.EndDeleted, Instruction: webhook.Instruction{By: "bob"}})
			} else {
				e.signal(3*time.Hour, workflows.SignalApprove, nil)
			}
			r, _ := e.run()
			require.Equal(t, webhook.ApprovalCancelled, r.Status)
			require.Contains(t, r.Reason, "the endpoint was deleted")
			require.NotEmpty(t, w.recheckedAll)
		})
	}
}

func TestResumedByHand(t *testing.T) {
	t.Parallel()
	for _, state := range []webhook.EndpointState{webhook.EndpointPaused, webhook.EndpointDisabled, webhook.EndpointHeld} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(3)
			w.endpoint.State = state
			e := newApproval(t, w)
			e.signal(0, workflows.SignalResume, alice)
			r, took := e.run()
			require.Equal(t, webhook.ApprovalReleased, r.Status)
			require.Equal(t, "resumed by alice: mended; 3 released", r.Reason)
			require.Equal(t, webhook.EndpointActive, w.endpoint.State)
			require.Empty(t, w.held)
			require.Less(t, took, time.Minute)
		})
	}
}

func TestResumedWithNothingHeld(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(0)
	w.endpoint.State = webhook.EndpointPaused
	e := newApproval(t, w)
	e.signal(0, workflows.SignalResume, webhook.Decision{By: "alice"})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, webhook.EndpointActive, w.endpoint.State)
}

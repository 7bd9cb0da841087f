package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var bob = webhook.End{Kind: webhook.EndPaused, Instruction: webhook.Instruction{By: "bob"}}

// during does something once: while the n-th activity of a type is under way.
func (e approvalEnv) during(activityType string, n int, do func()) {
	begun := 0
	e.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name != activityType {
			return
		}
		if begun++; begun == n {
			do()
		}
	})
}

// pauses is what the gateway does: the registry first, then the word.
func (e approvalEnv) pauses(w *world) {
	w.set(webhook.EndpointPaused)
	e.SignalWorkflow(workflows.SignalEnd, bob)
}

func (w *world) set(to webhook.EndpointState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoint.State = to
}

// TestTheLastWordCounts: a pause and a resume, both of which come while something else is under
// way.
func TestTheLastWordCounts(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]struct {
		activityType string
		n            int
	}{
		"during the probe":                   {"ProbeOldest", 1},
		"during the release":                 {"ReleaseHeld", 1},
		"while the recovery is announced":    {"Announce", 3},
		"while the release is made official": {"ChangeState", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(3)
			e := newApproval(t, w)
			e.signal(2*time.Hour, workflows.SignalApprove, alice)
			e.during(when.activityType, when.n, func() {
				e.pauses(w)
				e.SignalWorkflow(workflows.SignalResume, webhook.Decision{By: "carol"})
			})
			r, _ := e.run()
			require.Equal(t, webhook.ApprovalReleased, r.Status, r.Reason)
			require.Equal(t, webhook.DecidedResume, r.Decided)
			require.Equal(t, "carol", r.Decision.By)
			require.Equal(t, webhook.EndpointActive, w.endpoint.State)
			require.Empty(t, w.held)
		})
	}
}

func TestAPauseAfterAResumeHolds(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.RegisterDelayedCallback(func() {
		e.SignalWorkflow(workflows.SignalResume, alice)
		e.pauses(w)
	}, 2*time.Hour)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, "the endpoint was paused by bob", r.Reason)
	require.Equal(t, webhook.EndpointPaused, w.endpoint.State)
	require.Len(t, w.held, 2, "but the probe")
}

func TestResumedWhileItsPauseIsTakenIn(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.RegisterDelayedCallback(func() { e.pauses(w) }, 2*time.Hour)
	e.during("ChangeState", 2, func() { e.SignalWorkflow(workflows.SignalResume, alice) })
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, webhook.EndpointActive, w.endpoint.State)
	require.Empty(t, w.held)
}

// TestDeletedAfterAPause: the gateway deleted it and died, and its signal got lost.
func TestDeletedAfterAPause(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalEnd, bob)
	e.during("ChangeState", 2, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.deleted = true
	})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, "the endpoint was deleted", r.Reason)
	require.Len(t, w.recheckedAll, 3)
}

// TestDeletedWhileItsRecoveryIsAnnounced: deliveries that wait for their next attempt recheck it
// all the same.
func TestDeletedWhileItsRecoveryIsAnnounced(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalApprove, alice)
	e.during("Announce", 3, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.deleted, w.held = true, []string{"evt_late"}
		e.SignalWorkflow(workflows.SignalEnd, webhook.End{Kind: webhook.EndDeleted})
	})
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, []string{"evt_late"}, w.recheckedAll)
}

// TestAReleaseStopsWithItsEndpoint: the gateway paused it and died, and its signal got lost.
func TestAReleaseStopsWithItsEndpoint(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalApprove, webhook.Decision{})
	e.during("Announce", 2, func() { w.set(webhook.EndpointPaused) })
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Equal(t, "the endpoint is paused", r.Reason)
	require.Equal(t, webhook.EndpointPaused, w.endpoint.State)
	require.Len(t, w.held, 2, "but the probe")
}

package workflows_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestADecisionInTheMomentItBecomesHeldIsTaken: the registry says so before the workflow knows.
func TestADecisionInTheMomentItBecomesHeldIsTaken(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]string{"held": "ChangeState", "rechecked": "RecheckAll", "counted": "CountWaiting", "announced": "Announce"} {
		t.Run("while it is "+name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(3)
			e := newApproval(t, w)
			var first, second *error
			n := map[string]int{"CountWaiting": 10}[when]
			e.during(when, max(n, 1), func() {
				first = e.update(0, workflows.UpdateApprove, alice)
				second = e.update(0, workflows.UpdateApprove, webhook.Decision{By: "bob"})
			})
			r, _ := e.run()
			by := "alice"
			if *first != nil { // they come at the same time
				first, second, by = second, first, "bob"
			}
			require.NoError(t, *first)
			require.ErrorContains(t, *second, "another decision has just been taken")
			require.Equal(t, webhook.ApprovalReleased, r.Status)
			require.Equal(t, by, r.Decision.By)
		})
	}
}

// TestASignalInTheMomentItBecomesHeldIsTaken, a resume too.
func TestASignalInTheMomentItBecomesHeldIsTaken(t *testing.T) {
	t.Parallel()
	for _, signal := range []string{workflows.SignalApprove, workflows.SignalResume} {
		w := failingEndpoint(3)
		e := newApproval(t, w)
		e.during("ChangeState", 1, func() { e.SignalWorkflow(signal, alice) })
		r, took := e.run()
		require.Equal(t, webhook.ApprovalReleased, r.Status)
		require.Less(t, took, 2*time.Hour)
	}
}

// TestARejectInTheMomentItBecomesHeldIsTaken too.
func TestARejectInTheMomentItBecomesHeldIsTaken(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.during("ChangeState", 1, func() { e.SignalWorkflow(workflows.SignalReject, alice) })
	r, took := e.run()
	require.Equal(t, webhook.ApprovalRejected, r.Status)
	require.Equal(t, "alice", r.Decision.By)
	require.Less(t, took, 2*time.Hour)
}

// TestADecisionThatComesWhileItIsRejectedIsTooLate, and its sender is told so.
func TestADecisionThatComesWhileItIsRejectedIsTooLate(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.signal(2*time.Hour, workflows.SignalReject, alice)
	var answer *error
	e.during("ChangeState", 2, func() { answer = e.update(0, workflows.UpdateApprove, webhook.Decision{By: "bob"}) })
	r, _ := e.run()
	require.ErrorContains(t, *answer, "it is being rejected; it was rejected by alice")
	require.Equal(t, webhook.ApprovalRejected, r.Status)
}

// TestADecisionIsRefusedIfItBecomesPausedInstead, and its sender is told so.
func TestADecisionIsRefusedIfItBecomesPausedInstead(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	var answer *error
	e.during("ChangeState", 1, func() {
		w.set(webhook.EndpointPaused)
		answer = e.update(0, workflows.UpdateApprove, alice)
	})
	r, _ := e.run()
	require.ErrorContains(t, *answer, "the approval is cancelled")
	require.Equal(t, webhook.ApprovalCancelled, r.Status)
	require.Len(t, w.held, 3)
}

// TestWhatWaitsIsCountedAtEveryStage, and shown with the time at which people are asked.
func TestWhatWaitsIsCountedAtEveryStage(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	requireWaits := func(status webhook.ApprovalStatus, n int) {
		r := e.report()
		require.Equal(t, status, r.Status)
		require.NotNil(t, r.Waiting)
		require.Equal(t, n, *r.Waiting)
	}
	checkAfter(t, e, time.Second, func() {
		requireWaits(webhook.ApprovalWatching, 3)
		require.Equal(t, happened.Add(time.Hour), e.report().AskAt.UTC())
		require.Contains(t, e.details(), "3 deliveries waiting at 2026-01-31T12:00:0")
		require.Contains(t, e.details(), "people are asked at 2026-01-31T13:00:00Z, unless it takes a delivery before")
		w.mu.Lock()
		defer w.mu.Unlock()
		w.held = append(w.held, "evt_003")
	})
	e.RegisterDelayedCallback(func() { requireWaits(webhook.ApprovalWatching, 4) }, time.Minute)
	checkAfter(t, e, 2*time.Hour, func() {
		requireWaits(webhook.ApprovalAwaiting, 4)
		require.Nil(t, e.report().AskAt)
	})
	e.signal(2*time.Hour+time.Second, workflows.SignalApprove, alice)
	e.during("ReleaseHeld", 2, func() { requireWaits(webhook.ApprovalReleasing, 0) })
	r, _ := e.run()
	require.Zero(t, *r.Waiting)
}

// TestWhatWasNotCountedIsAbsent, and not 0.
func TestWhatWasNotCountedIsAbsent(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(2)
	w.probes = []webhook.Probe{bad}
	w.endpoint.State = webhook.EndpointPaused
	e := approvalAt(t, w, happened)
	e.signal(0, workflows.SignalResume, alice)
	e.during("ProbeOldest", 1, func() {
		text, err := json.Marshal(e.report())
		require.NoError(t, err)
		require.NotContains(t, string(text), "waiting")
	})
	e.signal(time.Hour, workflows.SignalReject, nil)
	r, _ := e.run()
	require.Equal(t, webhook.ApprovalRejected, r.Status)
	require.Nil(t, r.Waiting, "nothing was counted since")
}

// TestPeopleAreToldBeforeDeliveriesAre: there may be so many that to tell them takes minutes.
func TestPeopleAreToldBeforeDeliveriesAre(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	w.waiting = []string{"evt_waits"}
	var told []string
	w.rechecking = func(context.Context) error {
		told = w.announcedTypes()
		return nil
	}
	newApproval(t, w).run()
	require.Equal(t, []string{webhook.EventEndpointHeld}, told)
}

// TestWhatEndsDeliveriesDoesNotWaitUntilTheyAreHeld: neither a rejection nor a pause or deletion.
func TestWhatEndsDeliveriesDoesNotWaitUntilTheyAreHeld(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		arg  any
		want webhook.ApprovalStatus
	}{
		workflows.SignalReject: {alice, webhook.ApprovalRejected},
		workflows.SignalEnd:    {webhook.End{Kind: webhook.EndPaused}, webhook.ApprovalCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(3)
			w.waiting = []string{"evt_waits"}
			e := newApproval(t, w)
			w.rechecking = func(ctx context.Context) error { // it takes as long as it may
				w.rechecking = nil
				e.SignalWorkflow(name, tc.arg)
				<-ctx.Done()
				return ctx.Err()
			}
			r, took := e.run()
			require.Equal(t, tc.want, r.Status)
			require.Less(t, took, 2*time.Hour)
		})
	}
}

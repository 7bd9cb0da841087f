package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// continueAsNew runs until the approval continues as new, and gives the input of the new run.
func (e approvalEnv) continueAsNew() (in workflows.ApprovalInput) {
	e.t.Helper()
	e.ExecuteWorkflow(workflows.Approval, workflows.ApprovalInput{Tenant: "demo", EndpointID: "ep_a"})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(e.t, e.GetWorkflowError(), &next)
	require.NoError(e.t, dataConverter.FromPayloads(next.Input, &in))
	return in
}

// continued is the run that continueAsNew led to.
func (e approvalEnv) continued(in workflows.ApprovalInput) (r webhook.ApprovalReport) {
	e.t.Helper()
	e.ExecuteWorkflow(workflows.Approval, in)
	require.NoError(e.t, e.GetWorkflowError())
	require.NoError(e.t, e.GetWorkflowResult(&r))
	return r
}

// TestAnApprovalContinuesAsNew while it asks: the run after it acts on what it receives.
func TestAnApprovalContinuesAsNew(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.RegisterDelayedCallback(func() { e.SetContinueAsNewSuggested(true) }, 30*time.Hour)
	in := e.continueAsNew()
	require.Equal(t, webhook.ApprovalAwaiting, in.Carried.Report.Status)
	require.Equal(t, 1, in.Carried.Reminded)

	e = approvalAt(t, w, happened.Add(31*time.Hour))
	e.signal(time.Hour, workflows.SignalApprove, alice)
	r := e.continued(in)
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, 3, r.Released)
	require.Equal(t, happened.Add(time.Hour), r.AskedAt.UTC())
}

// TestAnEndpointThatFailsForMonths fills a history long before people are asked.
func TestAnEndpointThatFailsForMonths(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(0)
	w.endpoint.Approval.After = 90 * 24 * time.Hour
	e := newApproval(t, w)
	e.RegisterDelayedCallback(func() { e.SetContinueAsNewSuggested(true) }, time.Hour)
	e.signal(2*time.Hour, workflows.SignalFailing, failure(false))
	in := e.continueAsNew()
	require.Equal(t, webhook.ApprovalWatching, in.Carried.Report.Status)
	require.Equal(t, happened, in.Carried.Report.FailingSince.UTC())
	require.Equal(t, 90*24*time.Hour, in.Carried.Facts.After)
}

// TestReportsAreCarried: a recovery that came with the last task of a run is not lost with it.
// Without it the run after it would know of no failure and ask people at once.
func TestReportsAreCarried(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(2)
	w.waiting = []string{"evt_001"}
	e := newApproval(t, w)
	took := webhook.Answer{At: happened, EventID: "evt_7", StatusCode: 204}
	e.during("CountWaiting", 2, func() {
		e.SetContinueAsNewSuggested(true)
		e.SignalWorkflow(workflows.SignalRecovered, took)
	})
	in := e.continueAsNew()
	require.Equal(t, webhook.ApprovalWatching, in.Carried.Report.Status)

	e = approvalAt(t, w, happened.Add(time.Minute))
	r := e.continued(in)
	require.Equal(t, webhook.ApprovalRecovered, r.Status)
	require.Equal(t, "it took a delivery: HTTP 204", r.Reason)
	require.Equal(t, webhook.EndpointActive, w.endpoint.State)
	require.Equal(t, w.waiting, w.rechecked)
	require.Empty(t, w.announced)
}

// TestDecisionsAreCarried, as reports are.
func TestDecisionsAreCarried(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(3)
	e := newApproval(t, w)
	e.during("CountWaiting", 20, func() {
		require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
		e.SetContinueAsNewSuggested(true)
		e.SignalWorkflow(workflows.SignalApprove, alice)
	})
	r := approvalAt(t, w, happened.Add(31*time.Hour)).continued(e.continueAsNew())
	require.Equal(t, webhook.ApprovalReleased, r.Status)
	require.Equal(t, "approved by alice: mended; 3 released", r.Reason)
}

// TestCancelledItAsksAgain: else deliveries would be held and no one asked.
func TestCancelledItAsksAgain(t *testing.T) {
	t.Parallel()
	const failing = "it has been failing since 2026-01-31T12:00:00Z, last with HTTP 503"
	for name, tc := range map[string]struct {
		when string // the activity during which it is cancelled; empty: while it waits
		n    int
		why  string
	}{
		"while it waits":          {"", 0, failing},
		"while it asks":           {"ChangeState", 1, failing},
		"while it tells":          {"RecheckAll", 1, failing},
		"while it counts":         {"CountWaiting", 10, failing},
		"while the probe is sent": {"ProbeOldest", 1, "it was cancelled while it was probing"},
		"while it releases":       {"ReleaseHeld", 1, "it was cancelled while it was releasing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(40)
			e := newApproval(t, w)
			if tc.when == "" {
				e.RegisterDelayedCallback(e.CancelWorkflow, 2*time.Hour)
			} else {
				e.signal(2*time.Hour, workflows.SignalApprove, alice)
				e.during(tc.when, tc.n, e.CancelWorkflow)
			}
			in := e.continueAsNew()

			e = approvalAt(t, w, happened.Add(3*time.Hour))
			checkAfter(t, e, time.Minute, func() {
				require.Equal(t, webhook.EndpointHeld, w.endpoint.State)
				require.Equal(t, tc.why, w.endpoint.StateReason)
				details := e.details()
				require.Contains(t, details, "**awaiting-approval**")
				require.Contains(t, details, "Signals are the way: `approve`, or `reject`")
			})
			e.signal(time.Hour, workflows.SignalApprove, alice)
			r := e.continued(in)
			require.Equal(t, webhook.ApprovalReleased, r.Status)
			require.Equal(t, happened.Add(3*time.Hour), r.AskedAt.UTC())
			require.Contains(t, w.announcedTypes(), webhook.EventEndpointHeld)
			require.Empty(t, w.held)
		})
	}
}

// TestCancelledDuringARejectionItIsRejected: the endpoint may be disabled already, and what waits
// not rechecked.
func TestCancelledDuringARejectionItIsRejected(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"ChangeState": 2, "RecheckAll": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := failingEndpoint(3)
			e := newApproval(t, w)
			e.signal(2*time.Hour, workflows.SignalReject, webhook.Decision{By: "bob"})
			e.during(name, n, e.CancelWorkflow)
			r := approvalAt(t, w, happened.Add(3*time.Hour)).continued(e.continueAsNew())
			require.Equal(t, webhook.ApprovalRejected, r.Status)
			require.Equal(t, "rejected by bob", r.Reason)
			require.Equal(t, webhook.EndpointDisabled, w.endpoint.State)
			require.Len(t, w.recheckedAll, 3)
		})
	}
}

// TestCancelledBeforePeopleWereAskedItEnds: nothing is held, and the next failure begins another.
func TestCancelledBeforePeopleWereAskedItEnds(t *testing.T) {
	t.Parallel()
	w := failingEndpoint(2)
	e := newApproval(t, w)
	e.RegisterDelayedCallback(e.CancelWorkflow, time.Minute)
	e.ExecuteWorkflow(workflows.Approval, workflows.ApprovalInput{Tenant: "demo", EndpointID: "ep_a"})
	require.True(t, temporal.IsCanceledError(e.GetWorkflowError()))
	require.Equal(t, webhook.EndpointActive, w.endpoint.State)
	require.Empty(t, w.announced)
}

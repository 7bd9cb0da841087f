package orchestrator_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

const (
	running    = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	completed  = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	terminated = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
	continued  = enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
)

var alice = webhook.Decision{By: "alice", Reason: "mended", RatePerSecond: 5}

// episode is one of ep_1.
func episode(runID string, status enums.WorkflowExecutionStatus, r webhook.ApprovalReport) *orchestratortest.Run {
	return &orchestratortest.Run{
		ID: "approval/acme/ep_1", RunID: runID, Type: workflows.TypeApproval, Status: status, Report: r,
		Attributes: map[string]string{"Tenant": "acme", "Endpoint": "ep_1", "Outcome": string(r.Status)},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	s.Put(episode("run_1", running, webhook.ApprovalReport{Status: webhook.ApprovalAwaiting}))
	a := through(t, s).Approvals()
	r, err := a.Approve(t.Context(), "acme", "ep_1", alice)
	require.NoError(t, err)
	require.Equal(t, webhook.ApprovalAwaiting, r.Status)
	_, err = a.Reject(t.Context(), "acme", "ep_1", alice)
	require.NoError(t, err)
	for i, update := range []string{workflows.UpdateApprove, workflows.UpdateReject} {
		require.Equal(t, client.UpdateWorkflowOptions{
			WorkflowID: "approval/acme/ep_1", UpdateName: update, Args: []any{alice}, WaitForStage: client.WorkflowUpdateStageCompleted,
		}, s.Updates[i])
	}
}

// TestDecideRefused, before or after the update was accepted.
func TestDecideRefused(t *testing.T) {
	t.Parallel()
	refusal := temporal.NewApplicationError("the approval is releasing; it was approved by bob", workflows.TypeRefused)
	before, after := orchestratortest.New(), orchestratortest.New()
	before.Down = refusal
	run := episode("run_1", running, webhook.ApprovalReport{})
	run.Refuses = refusal
	after.Put(run)
	for _, s := range []*orchestratortest.Temporal{before, after} {
		_, err := through(t, s).Approvals().Approve(t.Context(), "acme", "ep_1", alice)
		require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
		require.EqualError(t, err, "the approval is releasing; it was approved by bob")
	}
}

func TestDecideTooLate(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	a := through(t, s).Approvals()
	_, err := a.Approve(t.Context(), "acme", "ep_1", alice)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
	require.ErrorContains(t, err, "endpoint ep_1 has had no approval, or its history is gone")

	s.Put(episode("run_1", completed, webhook.ApprovalReport{Status: webhook.ApprovalRejected, Reason: "rejected: no decision within 168h0m0s"}))
	r, err := a.Approve(t.Context(), "acme", "ep_1", alice)
	require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
	require.EqualError(t, err, "the approval has ended (rejected: rejected: no decision within 168h0m0s)")
	require.Equal(t, webhook.ApprovalRejected, r.Status)
}

func TestTemporalAwayHasNoCode(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	s.Down = errors.New("unavailable")
	a := through(t, s).Approvals()
	_, decided := a.Approve(t.Context(), "acme", "ep_1", alice)
	_, got := a.Get(t.Context(), "acme", "ep_1")
	_, _, listed := a.List(t.Context(), "acme", "", 10, nil)
	resumed := a.Resume(t.Context(), "acme", "ep_1", alice)
	paused := a.End(t.Context(), "acme", "ep_1", webhook.End{Kind: webhook.EndPaused})
	for _, err := range []error{decided, got, listed, resumed, paused} {
		require.ErrorIs(t, err, s.Down)
		require.Empty(t, webhook.CodeOf(err))
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	s, seven := orchestratortest.New(), 7
	s.Put(episode("run_1", completed, webhook.ApprovalReport{Status: webhook.ApprovalReleased}),
		episode("run_2", terminated, webhook.ApprovalReport{Status: webhook.ApprovalAwaiting, Reason: "it fails", Waiting: &seven}))
	r, err := through(t, s).Approvals().Get(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, webhook.ApprovalReport{
		Status: webhook.ApprovalCancelled, Reason: "the approval was terminated; resume the endpoint to go on", Waiting: &seven, RunID: "run_2",
	}, r, "the latest, which cannot say so itself")
}

func TestListAsksVisibility(t *testing.T) {
	t.Parallel()
	const of, open = "WorkflowType = 'Approval' AND Tenant = 'acme'", " AND ExecutionStatus = 'Running'"
	for _, tc := range []struct {
		status webhook.ApprovalStatus
		query  string
	}{
		{"", of + open},
		{webhook.ApprovalWatching, of + open + " AND Outcome = 'watching'"},
		{webhook.ApprovalAwaiting, of + open + " AND Outcome = 'awaiting-approval'"},
		{webhook.ApprovalReleased, of + " AND Outcome = 'released'"},
		{webhook.ApprovalCancelled, of + " AND Outcome = 'cancelled'"},
	} {
		s := orchestratortest.New()
		found, next, err := through(t, s).Approvals().List(t.Context(), "acme", tc.status, 50, []byte("1"))
		require.NoError(t, err)
		require.NotNil(t, found)
		require.Empty(t, found)
		require.Empty(t, next)
		require.Equal(t, tc.query, s.Lists[0].GetQuery())
		require.Equal(t, int32(50), s.Lists[0].GetPageSize())
		require.Equal(t, "1", string(s.Lists[0].GetNextPageToken()))
	}
}

// TestListIsAMomentBehind: a run whose history is gone is no reason to give none.
func TestListIsAMomentBehind(t *testing.T) {
	t.Parallel()
	s := forgetful{orchestratortest.New()}
	s.Put(episode("run_1", running, webhook.ApprovalReport{Status: webhook.ApprovalAwaiting}), episode("run_gone", running, webhook.ApprovalReport{}))
	found, _, err := through(t, s).Approvals().List(t.Context(), "acme", "", 50, nil)
	require.NoError(t, err)
	require.Equal(t, []webhook.ApprovalReport{{Status: webhook.ApprovalAwaiting, RunID: "run_1"}}, found)
}

func TestAnEpisodeIsStartedWithWhatIsSaid(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	a := through(t, s).Approvals()
	require.NoError(t, a.Resume(t.Context(), "acme", "ep_1", alice))
	failing := webhook.Failing{Answer: webhook.Answer{EventID: "evt_1", StatusCode: 503}}
	require.NoError(t, a.Failing(t.Context(), "acme", "ep_1", failing))
	require.Equal(t, []orchestratortest.Signal{
		{WorkflowID: "approval/acme/ep_1", Name: "resume", Arg: alice}, {WorkflowID: "approval/acme/ep_1", Name: "failing", Arg: failing},
	}, s.Signals)
	require.Len(t, s.Started, 1)
	o := s.Started[0]
	require.Equal(t, "approval/acme/ep_1", o.ID)
	require.Equal(t, workflows.TaskQueue, o.TaskQueue)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
	require.Equal(t, temporal.Priority{PriorityKey: 1, FairnessKey: "acme"}, o.Priority)
	require.Equal(t, "approval of ep_1", o.StaticSummary)
	require.Equal(t, map[string]string{"Tenant": "acme", "Endpoint": "ep_1", "Outcome": "watching"}, s.Run(o.ID).Attributes)
}

// TestARecoveryBeginsAnEpisode only if deliveries wait to hear of it.
func TestARecoveryBeginsAnEpisode(t *testing.T) {
	t.Parallel()
	s, took := orchestratortest.New(), webhook.Answer{EventID: "evt_9", StatusCode: 204}
	a := through(t, s).Approvals()
	require.NoError(t, a.Recovered(t.Context(), "acme", "ep_1", took, false))
	require.Empty(t, s.Signals)
	require.NoError(t, a.Recovered(t.Context(), "acme", "ep_1", took, true))
	require.NoError(t, a.Recovered(t.Context(), "acme", "ep_1", took, false))
	require.Len(t, s.Signals, 2)
	require.Len(t, s.Started, 1)
}

func TestNoEpisodeToEndIsFine(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	a := through(t, s).Approvals()
	require.NoError(t, a.End(t.Context(), "acme", "ep_1", webhook.End{Kind: webhook.EndPaused}))
	require.Empty(t, s.Started)
	require.NoError(t, a.End(t.Context(), "acme", "ep_1", webhook.End{Kind: webhook.EndDeleted}))
	require.Len(t, s.Started, 1, "its deliveries are to end")
}

// forgetful lists a run whose history is gone.
type forgetful struct{ *orchestratortest.Temporal }

func (f forgetful) QueryWorkflow(ctx context.Context, id, runID, query string, args ...any) (converter.EncodedValue, error) {
	if runID == "run_gone" {
		return nil, serviceerror.NewNotFound("no rows")
	}
	return f.Temporal.QueryWorkflow(ctx, id, runID, query, args...)
}

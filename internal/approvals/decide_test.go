package approvals_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/approvals"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// episodes is a Temporal with approvals in it.
type episodes struct {
	approvals.Client
	runs    []*workflowpb.WorkflowExecutionInfo // the latest is the last
	reports map[string]webhook.ApprovalReport   // by run id
	updates []client.UpdateWorkflowOptions
	refused error // by the server
	answer  error // of an update that was taken
	lists   []*workflowservice.ListWorkflowExecutionsRequest
	away    error
}

func (e *episodes) add(run string, status enums.WorkflowExecutionStatus, r webhook.ApprovalReport) {
	if e.reports == nil {
		e.reports = map[string]webhook.ApprovalReport{}
	}
	e.reports[run] = r
	e.runs = append(e.runs, &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: "approval/acme/ep_1", RunId: run}, Status: status,
	})
}

func (e *episodes) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	e.updates = append(e.updates, o)
	return updated{e}, errors.Join(e.away, e.refused)
}

type updated struct{ *episodes }

func (updated) WorkflowID() string { return "" }
func (updated) RunID() string      { return "" }
func (updated) UpdateID() string   { return "" }

func (u updated) Get(_ context.Context, to any) error {
	if u.answer == nil {
		*to.(*webhook.ApprovalReport) = webhook.ApprovalReport{Status: webhook.ApprovalAwaiting}
	}
	return u.answer
}

func (e *episodes) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if e.away != nil {
		return nil, e.away
	}
	if len(e.runs) == 0 {
		return nil, serviceerror.NewNotFound("no rows")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: e.runs[len(e.runs)-1]}, nil
}

func (e *episodes) QueryWorkflow(_ context.Context, _, run, query string, _ ...any) (converter.EncodedValue, error) {
	r, known := e.reports[run]
	if !known || query != workflows.QueryReport {
		return nil, serviceerror.NewNotFound("no rows")
	}
	return encoded{r}, nil
}

type encoded struct{ of any }

func (encoded) HasValue() bool { return true }

func (e encoded) Get(to any) error {
	b, err := json.Marshal(e.of)
	return errors.Join(err, json.Unmarshal(b, to))
}

func (e *episodes) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	e.lists = append(e.lists, r)
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: e.runs, NextPageToken: []byte("next")}, e.away
}

const (
	running    = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	completed  = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	terminated = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
)

var alice = webhook.Decision{By: "alice", Reason: "mended", RatePerSecond: 5}

func TestDecide(t *testing.T) {
	t.Parallel()
	e := &episodes{}
	a := approvals.New(e)
	r, err := a.Approve(t.Context(), "acme", "ep_1", alice)
	require.NoError(t, err)
	require.Equal(t, webhook.ApprovalAwaiting, r.Status)
	_, err = a.Reject(t.Context(), "acme", "ep_1", alice)
	require.NoError(t, err)
	for i, update := range []string{workflows.UpdateApprove, workflows.UpdateReject} {
		require.Equal(t, client.UpdateWorkflowOptions{
			WorkflowID: "approval/acme/ep_1", UpdateName: update, Args: []any{alice}, WaitForStage: client.WorkflowUpdateStageCompleted,
		}, e.updates[i])
	}
}

// TestDecideRefused: whoever refused, before or after the update was accepted.
func TestDecideRefused(t *testing.T) {
	t.Parallel()
	refusal := temporal.NewApplicationError("the approval is releasing; it was approved by bob", workflows.TypeRefused)
	for _, e := range []*episodes{{refused: refusal}, {answer: refusal}} {
		_, err := approvals.New(e).Approve(t.Context(), "acme", "ep_1", alice)
		require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
		require.EqualError(t, err, "the approval is releasing; it was approved by bob")
	}
}

func TestDecideTooLate(t *testing.T) {
	t.Parallel()
	e := &episodes{refused: serviceerror.NewNotFound("workflow execution already completed")}
	_, err := approvals.New(e).Approve(t.Context(), "acme", "ep_1", alice)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
	require.EqualError(t, err, "nobody was asked about endpoint ep_1, or the history of it is gone")

	e.add("run_1", completed, webhook.ApprovalReport{Status: webhook.ApprovalRejected, Reason: "rejected: nobody decided within 168h0m0s"})
	r, err := approvals.New(e).Approve(t.Context(), "acme", "ep_1", alice)
	require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
	require.EqualError(t, err, "the approval has ended (rejected: rejected: nobody decided within 168h0m0s)")
	require.Equal(t, webhook.ApprovalRejected, r.Status)
}

func TestTemporalAwayHasNoCode(t *testing.T) {
	t.Parallel()
	e := &episodes{away: errors.New("unavailable")}
	a := approvals.New(e)
	_, decided := a.Approve(t.Context(), "acme", "ep_1", alice)
	_, got := a.Get(t.Context(), "acme", "ep_1")
	_, _, listed := a.List(t.Context(), "acme", "", 10, nil)
	resumed := approvals.New(&fakeTemporal{err: e.away}).Resume(t.Context(), "acme", "ep_1", alice)
	for _, err := range []error{decided, got, listed, resumed} {
		require.ErrorIs(t, err, e.away)
		require.Empty(t, webhook.CodeOf(err))
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	e, seven := &episodes{}, 7
	e.add("run_1", completed, webhook.ApprovalReport{Status: webhook.ApprovalReleased})
	e.add("run_2", terminated, webhook.ApprovalReport{Status: webhook.ApprovalAwaiting, Reason: "it fails", Waiting: &seven})
	r, err := approvals.New(e).Get(t.Context(), "acme", "ep_1")
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
		e := &episodes{}
		found, next, err := approvals.New(e).List(t.Context(), "acme", tc.status, 50, []byte("page"))
		require.NoError(t, err)
		require.NotNil(t, found)
		require.Empty(t, found)
		require.Equal(t, "next", string(next))
		require.Equal(t, tc.query, e.lists[0].GetQuery())
		require.Equal(t, int32(50), e.lists[0].GetPageSize())
		require.Equal(t, "page", string(e.lists[0].GetNextPageToken()))
	}
}

// TestListIsAMomentBehind: a run whose history is gone is no reason to give none.
func TestListIsAMomentBehind(t *testing.T) {
	t.Parallel()
	e := &episodes{}
	e.add("run_1", running, webhook.ApprovalReport{Status: webhook.ApprovalAwaiting})
	e.add("run_gone", completed, webhook.ApprovalReport{})
	delete(e.reports, "run_gone")
	found, _, err := approvals.New(e).List(t.Context(), "acme", "", 50, nil)
	require.NoError(t, err)
	require.Equal(t, []webhook.ApprovalReport{{Status: webhook.ApprovalAwaiting, RunID: "run_1"}}, found)
}

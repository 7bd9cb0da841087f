package backlog_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hookloop/internal/backlog"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// answering is a Temporal that takes every update; what comes of it, its handle says.
type answering struct {
	backlog.Client
	listed []*workflowpb.WorkflowExecutionInfo
	count  string // the query
	signal []any
	probe  webhook.Probe
	err    error
}

func (a *answering) CountWorkflow(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	a.count = r.GetQuery()
	return &workflowservice.CountWorkflowExecutionsResponse{Count: 12_000}, a.err
}

func (a *answering) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: a.listed}, nil
}

func (a *answering) SignalWorkflow(_ context.Context, id, run, signal string, arg any) error {
	a.signal = []any{id, run, signal, arg}
	return nil
}

func (a *answering) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return handle{a}, nil
}

type handle struct{ *answering }

func (handle) WorkflowID() string { return "" }
func (handle) RunID() string      { return "" }
func (handle) UpdateID() string   { return "" }

func (h handle) Get(_ context.Context, to any) error {
	if p, ok := to.(*webhook.Probe); ok && h.err == nil {
		*p = h.probe
	}
	return h.err
}

func TestHeldCounts(t *testing.T) {
	t.Parallel()
	a := &answering{}
	n, err := backlog.New(a, "default").Held(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, 12_000, n)
	require.Equal(t, "WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus = 'Running' AND Outcome = 'held'", a.count)
	a.err = serviceerror.NewUnavailable("no")
	_, err = backlog.New(a, "default").Held(t.Context(), "acme", "ep_1")
	require.ErrorIs(t, err, a.err)
}

// TestWhatWaitsIsCountedWhateverItsStatus, but for a delivery that waits for a person of its own.
func TestWhatWaitsIsCountedWhateverItsStatus(t *testing.T) {
	t.Parallel()
	a := &answering{}
	n, err := backlog.New(a, "default").Count(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, 12_000, n)
	require.Equal(t, "WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus = 'Running' AND Outcome != 'awaiting-approval'", a.count)
	a.err = serviceerror.NewUnavailable("no")
	_, err = backlog.New(a, "default").Count(t.Context(), "acme", "ep_1")
	require.ErrorIs(t, err, a.err)
}

// TestIDsOfAnyShape: whatever an app calls its events, the id is what stands between tenant and endpoint.
func TestIDsOfAnyShape(t *testing.T) {
	t.Parallel()
	ids := []string{"evt_1", "a/b/ep_1", "delivery/acme/x", "*", "%s", "Ärger 'quoted'", "/", "ep_1"}
	a := &answering{}
	for i, id := range ids {
		a.listed = append(a.listed, &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: workflows.DeliveryWorkflowID("acme", id, "ep_1")},
			StartTime: timestamppb.New(began.Add(time.Duration(i) * time.Millisecond)),
		})
	}
	found, err := backlog.New(a, "default").Oldest(t.Context(), "acme", "ep_1", 100)
	require.NoError(t, err)
	require.Equal(t, ids, found)
}

func TestWhatADeliveryAnswers(t *testing.T) {
	t.Parallel()
	want := webhook.Probe{Made: true, Answer: webhook.Answer{EventID: "evt_1", StatusCode: 503}}
	b := backlog.New(&answering{probe: want}, "default")
	p, err := b.Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
	require.NoError(t, err)
	require.Equal(t, want, p)
	went, err := b.Release(t.Context(), "acme", "evt_1", "ep_1")
	require.NoError(t, err)
	require.True(t, went)
}

// TestWhatADeliveryAnswersTooLate: it took the update, and ended or was let go before it could do it.
func TestWhatADeliveryAnswersTooLate(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		temporal.NewApplicationError("", "AcceptedUpdateCompletedWorkflow"),
		temporal.NewApplicationError("the delivery is not held", workflows.TypeNotHeld),
		serviceerror.NewNotFound("workflow update was aborted by closing workflow"),
	} {
		b := backlog.New(&answering{err: err, probe: webhook.Probe{Made: true}}, "default")
		p, err := b.Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
		require.NoError(t, err)
		require.Equal(t, webhook.Probe{}, p)
		went, err := b.Release(t.Context(), "acme", "evt_1", "ep_1")
		require.NoError(t, err)
		require.False(t, went)
	}
	ours := temporal.NewApplicationError("panic", "PanicError")
	_, err := backlog.New(&answering{err: ours}, "default").Release(t.Context(), "acme", "evt_1", "ep_1")
	require.ErrorIs(t, err, ours)
	require.ErrorContains(t, err, "delivery/acme/evt_1/ep_1")
}

func TestLook(t *testing.T) {
	t.Parallel()
	a, why := &answering{}, webhook.Verb{By: "alice", Reason: "no"}
	require.NoError(t, backlog.New(a, "default").Look(t.Context(), "acme", "evt_1", "ep_1", why))
	require.Equal(t, []any{"delivery/acme/evt_1/ep_1", "", workflows.SignalLook, why}, a.signal)
}

package backlog_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fakeTemporal has n deliveries, and lists the latest first, as visibility does.
type fakeTemporal struct {
	backlog.Client
	n       int
	queries []string
	updates []client.UpdateWorkflowOptions
	err     error
}

func (f *fakeTemporal) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	f.queries = append(f.queries, r.GetQuery())
	next, _ := strconv.Atoi(string(r.GetNextPageToken()))
	answer := &workflowservice.ListWorkflowExecutionsResponse{}
	for ; next < f.n && len(answer.Executions) < int(r.GetPageSize()); next++ {
		i := f.n - 1 - next
		answer.Executions = append(answer.Executions, &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: fmt.Sprintf("delivery/acme/evt_%05d/ep_1", i)},
			StartTime: timestamppb.New(began.Add(time.Duration(i) * time.Second)),
		})
	}
	if next < f.n {
		answer.NextPageToken = []byte(strconv.Itoa(next))
	}
	return answer, f.err
}

func (f *fakeTemporal) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	f.updates = append(f.updates, o)
	return nil, f.err
}

func (f *fakeTemporal) SignalWorkflow(context.Context, string, string, string, any) error {
	return f.err
}

func TestTheOldestOfTwelveThousand(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{n: 12_000}
	ids, err := backlog.New(f, "default").Oldest(t.Context(), "acme", "ep_1", 700)
	require.NoError(t, err)
	require.Len(t, ids, 700)
	for i, id := range ids {
		require.Equal(t, fmt.Sprintf("evt_%05d", i), id)
	}
	require.Len(t, f.queries, 24)
	require.Equal(t, "WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus = 'Running' AND Outcome = 'held'", f.queries[0])

	f.n = 3
	ids, err = backlog.New(f, "default").Oldest(t.Context(), "acme", "ep_1", 700)
	require.NoError(t, err)
	require.Equal(t, []string{"evt_00000", "evt_00001", "evt_00002"}, ids)
}

func TestRunning(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{n: 501}
	ids, next, err := backlog.New(f, "default").Running(t.Context(), "acme", "ep_1", began, false, nil)
	require.NoError(t, err)
	require.Len(t, ids, 500)
	require.Equal(t, "WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus = 'Running'"+
		" AND StartTime < '2026-01-01T00:00:00Z' AND Outcome != 'held'", f.queries[0])
	ids, next, err = backlog.New(f, "default").Running(t.Context(), "acme", "ep_1", began, true, next)
	require.NoError(t, err)
	require.Equal(t, []string{"evt_00000"}, ids)
	require.Empty(t, next)
	require.NotContains(t, f.queries[1], "held")
}

func TestWhatIsNotHeldIsNotLetGo(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"ended":         serviceerror.NewNotFound("no such workflow"),
		"not held":      temporal.NewApplicationError("the delivery is not held", workflows.TypeNotHeld),
		"ends just now": temporal.NewApplicationError("", "AcceptedUpdateCompletedWorkflow"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeTemporal{err: err}
			was, err := backlog.New(f, "default").Release(t.Context(), "acme", "evt_1", "ep_1")
			require.NoError(t, err)
			require.False(t, was)
			p, err := backlog.New(f, "default").Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
			require.NoError(t, err)
			require.Equal(t, webhook.Probe{}, p)
			require.Equal(t, "delivery/acme/evt_1/ep_1", f.updates[0].WorkflowID)
			require.Equal(t, workflows.UpdateRelease, f.updates[0].UpdateName)
			require.Equal(t, "run/1", f.updates[1].UpdateID, "asked twice, it is made once")
		})
	}
	require.NoError(t, backlog.New(&fakeTemporal{err: serviceerror.NewNotFound("")}, "default").Look(t.Context(), "acme", "evt_1", "ep_1", webhook.Verb{}))
}

func TestTemporalAway(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{err: errors.New("away")}
	b := backlog.New(f, "default")
	_, err := b.Release(t.Context(), "acme", "evt_1", "ep_1")
	require.ErrorIs(t, err, f.err)
	_, err = b.Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
	require.ErrorIs(t, err, f.err)
	_, err = b.Oldest(t.Context(), "acme", "ep_1", 1)
	require.ErrorIs(t, err, f.err)
	require.ErrorIs(t, b.Look(t.Context(), "acme", "evt_1", "ep_1", webhook.Verb{}), f.err)
}

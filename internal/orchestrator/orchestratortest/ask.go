package orchestratortest

import (
	"context"
	"slices"
	"strconv"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
)

// QueryWorkflow answers with the run's Report, also of one that has ended.
func (t *Temporal) QueryWorkflow(ctx context.Context, id, runID, _ string, _ ...any) (a converter.EncodedValue, err error) {
	err = t.with(ctx, id, runID, func(r *Run) error {
		a = answer{r.Report}
		return r.Silent
	})
	return a, err
}

// GetWorkflow gives the Report of a run as its result.
func (t *Temporal) GetWorkflow(_ context.Context, id, runID string) client.WorkflowRun {
	t.mu.Lock()
	defer t.mu.Unlock()
	return result{run: t.named(id, runID)}
}

// GetWorkflowHistory gives the History of a run, or its first event.
func (t *Temporal) GetWorkflowHistory(ctx context.Context, id, runID string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	err := t.away(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Reads = append(t.Reads, id)
	r := t.named(id, runID)
	if err == nil && r == nil {
		err = notFound()
	}
	if err != nil {
		return &iterator{err: err}
	}
	return &iterator{left: r.events(), breaks: r.Breaks}
}

// DescribeWorkflowExecution tells of a run.
func (t *Temporal) DescribeWorkflowExecution(ctx context.Context, id, runID string) (d *workflowservice.DescribeWorkflowExecutionResponse, err error) {
	err = t.with(ctx, id, runID, func(r *Run) error {
		d = r.described()
		return nil
	})
	return d, err
}

// ListWorkflow gives the runs that a query finds, the latest first, as the visibility store does.
func (t *Temporal) ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	t.mu.Lock()
	t.Lists = append(t.Lists, r)
	t.mu.Unlock()
	found, err := t.find(ctx, r.GetQuery())
	if err != nil {
		return nil, err
	}
	from, _ := strconv.Atoi(string(r.GetNextPageToken()))
	until := len(found)
	for _, size := range []int{int(r.GetPageSize()), t.MostListed} {
		if size > 0 {
			until = min(from+size, until)
		}
	}
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, x := range found[min(from, until):until] {
		out.Executions = append(out.Executions, x.info())
	}
	if until < len(found) {
		out.NextPageToken = []byte(strconv.Itoa(until))
	}
	return out, nil
}

// CountWorkflow counts the runs that a query finds.
func (t *Temporal) CountWorkflow(ctx context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	t.mu.Lock()
	t.Counts = append(t.Counts, r.GetQuery())
	t.mu.Unlock()
	found, err := t.find(ctx, r.GetQuery())
	return &workflowservice.CountWorkflowExecutionsResponse{Count: int64(len(found))}, err
}

func (t *Temporal) find(ctx context.Context, query string) ([]*Run, error) {
	if err := t.away(ctx); err != nil {
		return nil, err
	}
	matches, err := parse(query)
	if err != nil {
		return nil, serviceerror.NewInvalidArgument("invalid query: " + err.Error())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []*Run
	for _, r := range slices.Backward(t.runs) {
		if !r.Hidden && matches(r) {
			found = append(found, r)
		}
	}
	return found, nil
}

// CheckHealth says whether the server answers.
func (t *Temporal) CheckHealth(ctx context.Context, _ *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	return &client.CheckHealthResponse{}, t.away(ctx)
}

// WorkflowService knows ResetActivity and DeleteWorkflowExecution alone.
func (t *Temporal) WorkflowService() workflowservice.WorkflowServiceClient { return service{t: t} }

type service struct {
	workflowservice.WorkflowServiceClient

	t *Temporal
}

func (s service) ResetActivity(ctx context.Context, r *workflowservice.ResetActivityRequest, _ ...grpc.CallOption) (*workflowservice.ResetActivityResponse, error) {
	return &workflowservice.ResetActivityResponse{}, s.t.with(ctx, r.GetExecution().GetWorkflowId(), "", func(x *Run) error {
		if len(x.Pending) == 0 {
			return serviceerror.NewNotFound("activity not found")
		}
		s.t.Resets = append(s.t.Resets, r)
		return nil
	})
}

// DeleteWorkflowExecution deletes a run at once; lists may have it for a while longer.
func (s service) DeleteWorkflowExecution(ctx context.Context, r *workflowservice.DeleteWorkflowExecutionRequest, _ ...grpc.CallOption) (*workflowservice.DeleteWorkflowExecutionResponse, error) {
	of := r.GetWorkflowExecution()
	return &workflowservice.DeleteWorkflowExecutionResponse{}, s.t.with(ctx, of.GetWorkflowId(), of.GetRunId(), func(x *Run) error {
		s.t.remove(func(other *Run) bool { return other == x })
		return nil
	})
}

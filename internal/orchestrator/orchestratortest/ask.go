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
func (t *Temporal) QueryWorkflow(ctx context.Context, id, runID, _ string, _ ...any) (converter.EncodedValue, error) {
	if err := t.away(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.named(id, runID)
	if r == nil {
		return nil, notFound()
	}
	if r.Silent != nil {
		return nil, r.Silent
	}
	return answer{r.Report}, nil
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
func (t *Temporal) DescribeWorkflowExecution(ctx context.Context, id, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if err := t.away(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.named(id, runID)
	if r == nil {
		return nil, notFound()
	}
	return r.described(), nil
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
	if err := s.t.away(ctx); err != nil {
		return nil, err
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	x := s.t.latest[r.GetExecution().GetWorkflowId()]
	if x == nil || len(x.Pending) == 0 {
		return nil, serviceerror.NewNotFound("activity not found")
	}
	s.t.Resets = append(s.t.Resets, r)
	return &workflowservice.ResetActivityResponse{}, nil
}

// DeleteWorkflowExecution deletes a run at once; lists may have it for a while longer.
func (s service) DeleteWorkflowExecution(ctx context.Context, r *workflowservice.DeleteWorkflowExecutionRequest, _ ...grpc.CallOption) (*workflowservice.DeleteWorkflowExecutionResponse, error) {
	if err := s.t.away(ctx); err != nil {
		return nil, err
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	x := s.t.named(r.GetWorkflowExecution().GetWorkflowId(), r.GetWorkflowExecution().GetRunId())
	if x == nil {
		return nil, notFound()
	}
	s.t.runs = slices.DeleteFunc(s.t.runs, func(other *Run) bool { return other == x })
	delete(s.t.latest, x.ID)
	for _, other := range s.t.runs {
		if other.ID == x.ID {
			s.t.latest[x.ID] = other
		}
	}
	return &workflowservice.DeleteWorkflowExecutionResponse{}, nil
}

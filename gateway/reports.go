package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"hookloop/workflows"
)

// queryTimeout bounds one question to a workflow. Without a worker nobody answers it.
const queryTimeout = 5 * time.Second

// execution is a workflow as Temporal describes it.
type execution struct {
	id, runID string
	status    enums.WorkflowExecutionStatus
	fresh     bool // its first workflow task, the fast lane, is not finished: it could not answer yet
	busy      bool // a worker has a task of it in hand
	waits     *workflowpb.PendingActivityInfo
}

func (g *Gateway) describe(ctx context.Context, id string) (execution, error) {
	d, err := g.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return execution{}, temporalErr(err)
	}
	info := d.GetWorkflowExecutionInfo()
	return execution{
		id: id, runID: info.GetExecution().GetRunId(), status: info.GetStatus(),
		// started, task scheduled, task started: the fourth event ends the first task
		fresh: d.GetPendingWorkflowTask() != nil && info.GetHistoryLength() <= 3,
		busy:  d.GetPendingWorkflowTask().GetState() == enums.PENDING_WORKFLOW_TASK_STATE_STARTED,
		waits: waiting(d.GetPendingActivities()),
	}, nil
}

func (x execution) closed() bool {
	switch x.status {
	case enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_PAUSED, enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		return false
	default:
		return true
	}
}

// abandoned says how the workflow ended without coming to its own end; empty if it did not.
func (x execution) abandoned() string {
	switch x.status {
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "its workflow was terminated"
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "its workflow was cancelled"
	case enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "its workflow timed out"
	case enums.WORKFLOW_EXECUTION_STATUS_FAILED:
		return "its workflow failed"
	default:
		return ""
	}
}

// abandonedSo adds, if asking failed, that what is shown may not be all.
func (x execution) abandonedSo(asking error) string {
	if asking == nil {
		return x.abandoned()
	}
	return x.abandoned() + ", and no worker could tell what it had done before; its history does"
}

// ask queries a workflow for its report.
func (g *Gateway) ask(ctx context.Context, x execution, report any) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	answer, err := g.temporal.QueryWorkflow(ctx, x.id, x.runID, workflows.QueryReport)
	if err != nil {
		err = temporalErr(err)
		if away, ok := errors.AsType[*unavailableError](err); ok {
			away.what = "a worker that could tell"
		}
		return fmt.Errorf("query of %s: %w", x.id, err)
	}
	return answer.Get(report)
}

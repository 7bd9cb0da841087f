package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// queryTimeout bounds one question to a workflow. Without a worker none is answered.
const queryTimeout = 5 * time.Second

// described is a run as Temporal describes it.
type described struct {
	Execution

	fresh bool // its first workflow task, the fast lane, is not finished: it could not answer yet
	busy  bool // a worker has a task of it in hand
	waits *workflowpb.PendingActivityInfo
}

// describe tells of the latest run of a workflow. The error carries webhook.NotFound when there is
// none, or no more.
func (l link) describe(ctx context.Context, workflowID, what string) (described, error) {
	d, err := l.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return described{}, noSuch(what, err)
	}
	info := d.GetWorkflowExecutionInfo()
	return described{
		Execution: execution(info),
		// started, task scheduled, task started: the fourth event ends the first task
		fresh: d.GetPendingWorkflowTask() != nil && info.GetHistoryLength() <= 3,
		busy:  d.GetPendingWorkflowTask().GetState() == enums.PENDING_WORKFLOW_TASK_STATE_STARTED,
		waits: deferredActivity(d.GetPendingActivities()),
	}, nil
}

// noSuch gives an error of Temporal its meaning for a workflow that was named.
func noSuch(what string, err error) error {
	if unknown(err) {
		return webhook.Errorf(webhook.NotFound, "there is no such %s", what)
	}
	return failed(err)
}

// closeReason says how a run ended without coming to its own end, and whether what is shown of it
// may not be all: no worker answered what it had done before.
func (d described) closeReason(queryErr error) string {
	if queryErr == nil {
		return d.abandoned()
	}
	return d.abandoned() + ", and no worker could tell what it had done before; its history does"
}

// report asks a run for its report.
func (l link) report(ctx context.Context, d described, what string, report any) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	answer, err := l.client.QueryWorkflow(ctx, d.WorkflowID, d.RunID, workflows.QueryReport)
	if err != nil {
		err = noSuch(what, err)
		if away, ok := errors.AsType[*AwayError](err); ok {
			away.what = "a worker that could tell"
		}
		return fmt.Errorf("query of %s: %w", d.WorkflowID, err)
	}
	return answer.Get(report)
}

// result gives what a run that came to its own end answered.
func (l link) result(ctx context.Context, d described, what string, result any) error {
	if err := l.client.GetWorkflow(ctx, d.WorkflowID, d.RunID).Get(ctx, result); err != nil {
		return noSuch(what, err)
	}
	return nil
}

// input reads what a run was started with: the first event of its history has it. Without a run id
// it is the latest run's. The error is Temporal's, or says that it cannot be decoded.
func (l link) input(ctx context.Context, workflowID, runID string, into ...any) error {
	first, err := l.client.GetWorkflowHistory(ctx, workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return err
	}
	if err := l.converter.FromPayloads(first.GetWorkflowExecutionStartedEventAttributes().GetInput(), into...); err != nil {
		return fmt.Errorf("input of %s: %w", workflowID, err)
	}
	return nil
}

// eventInput reads what an event was accepted with. data is what its history holds: its data, or
// where it lies.
func (l link) eventInput(ctx context.Context, workflowID, runID string) (in workflows.EventInput, data converter.RawValue, err error) {
	err = l.input(ctx, workflowID, runID, &in, &data)
	return in, data, err
}

// Reachable says why Temporal cannot be reached; nil: it can.
func (l link) Reachable(ctx context.Context) error {
	_, err := l.client.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// queryTimeout bounds one question to a workflow. Without a worker nobody answers it.
const queryTimeout = 5 * time.Second

// atOnce is how many deliveries of one event are asked side by side.
const atOnce = 16

// execution is a workflow as Temporal describes it.
type execution struct {
	id, runID string
	status    enums.WorkflowExecutionStatus
	fresh     bool // its first workflow task, the fast lane, is not finished: it could not answer yet
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
	}, nil
}

func (x execution) closed() bool {
	return x.status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING && x.status != enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
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

// lookInto replaces each report of a delivery that has a workflow of its own by that workflow's.
// The first failure stops the rest: half an answer would look like a whole one.
func (g *Gateway) lookInto(ctx context.Context, reports []webhook.DeliveryReport) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		all    sync.WaitGroup
		once   sync.Once
		failed error
	)
	places := make(chan struct{}, atOnce)
	for i := range reports {
		if reports[i].WorkflowID == "" {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := g.deliveryReport(ctx, &reports[i]); err != nil {
				once.Do(func() { failed = err })
				cancel()
			}
		})
	}
	all.Wait()
	return failed
}

// deliveryReport asks a delivery's workflow, open or closed: its result is only a summary. One
// that was not started yet, or is forgotten already, leaves the event's own line as it is.
func (g *Gateway) deliveryReport(ctx context.Context, report *webhook.DeliveryReport) error {
	x, err := g.describe(ctx, report.WorkflowID)
	if webhook.CodeOf(err) == webhook.NotFound || err == nil && x.fresh {
		return nil
	}
	if err != nil {
		return err
	}
	line := *report
	err = g.ask(ctx, x, report)
	switch {
	case err == nil && (report.Status.Ended() || !x.closed()):
		return nil
	case x.abandoned() == "":
		return err
	case err != nil:
		*report = line
	}
	if !report.Status.Ended() {
		report.Status, report.Reason, report.NextAttemptAt = webhook.Cancelled, x.abandonedSo(err), nil
	}
	return nil
}

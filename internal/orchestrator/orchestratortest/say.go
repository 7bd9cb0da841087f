package orchestratortest

import (
	"context"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// ExecuteWorkflow starts a workflow, unless its id is taken.
func (t *Temporal) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if err := t.away(ctx); err != nil {
		return nil, err
	}
	r, err := started(o, workflow, args)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.latest[o.ID]
	if old != nil && (old.running() || o.WorkflowIDReusePolicy == enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", old.RunID)
	}
	t.Started = append(t.Started, o)
	t.put(r)
	return result{run: r}, nil
}

// SignalWithStartWorkflow starts a workflow if none of its id runs.
func (t *Temporal) SignalWithStartWorkflow(ctx context.Context, id, signal string, arg any, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if err := t.away(ctx); err != nil {
		return nil, err
	}
	r, err := started(o, workflow, args)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.latest[id]; old == nil || !old.running() {
		t.Started = append(t.Started, o)
		t.put(r)
	}
	t.Signals = append(t.Signals, Signal{id, signal, arg})
	return result{run: t.latest[id]}, nil
}

// SignalWorkflow is refused by one that does not run.
func (t *Temporal) SignalWorkflow(ctx context.Context, id, runID, signal string, arg any) error {
	return t.with(ctx, id, runID, func(r *Run) error {
		if !r.running() {
			return notFound()
		}
		t.Signals = append(t.Signals, Signal{id, signal, arg})
		return nil
	})
}

// UpdateWorkflow answers with the run's Report.
func (t *Temporal) UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (u client.WorkflowUpdateHandle, err error) {
	err = t.with(ctx, o.WorkflowID, o.RunID, func(r *Run) error {
		switch {
		case !r.running():
			return serviceerror.NewNotFound("workflow execution already completed")
		case r.Silent != nil:
			return client.NewWorkflowUpdateServiceTimeoutOrCanceledError(r.Silent)
		}
		t.Updates = append(t.Updates, o)
		u = update{answer: answer{r.Report}, err: r.Refuses}
		return nil
	})
	return u, err
}

// CancelWorkflow ends a run as cancelled.
func (t *Temporal) CancelWorkflow(ctx context.Context, id, runID string) error {
	return t.with(ctx, id, runID, func(r *Run) error {
		if !r.running() {
			return serviceerror.NewNotFound("workflow execution already completed")
		}
		r.Status, r.End = enums.WORKFLOW_EXECUTION_STATUS_CANCELED, time.Now()
		return nil
	})
}

package orchestrator

import (
	"context"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/workflows"
)

// Erasures deletes all that Temporal has of an event.
type Erasures struct{ link }

// Erasures is the part that deletes.
func (o *Orchestrator) Erasures() *Erasures { return &Erasures{o.link} }

const (
	// goneEvery is how often Temporal is asked whether it has deleted a run: it does so in the
	// background.
	goneEvery = 50 * time.Millisecond
	// runsListed is how many runs a list of those of an event has at most.
	runsListed = 500
)

// DeleteEvent deletes every run of an event's workflow and of its deliveries', those to other
// endpoints than these as far as lists know them. What runs is terminated, the event first: its
// deliveries then start nothing. It returns once Temporal has none of them any more, and says how
// many there were. Lists are a moment behind: a second time finds what came late.
func (e *Erasures) DeleteEvent(ctx context.Context, tenant, eventID string, endpoints []string) (runs int, err error) {
	found, err := e.runsOf(ctx, tenant, eventID, endpoints)
	if err != nil {
		return 0, err
	}
	var deleted []Execution
	for _, x := range found {
		_, err := e.client.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
			Namespace:         e.namespace,
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: x.WorkflowID, RunId: x.RunID},
		})
		if unknown(err) { // a list knew it for longer than Temporal did
			continue
		}
		if err != nil {
			return len(deleted), failed(err)
		}
		deleted = append(deleted, x)
	}
	for _, x := range deleted {
		if err := e.awaitGone(ctx, x); err != nil {
			return len(deleted), err
		}
	}
	return len(deleted), nil
}

// runsOf finds them: the latest of each workflow by its id, all that ended a while ago by a list.
func (e *Erasures) runsOf(ctx context.Context, tenant, eventID string, endpoints []string) (all []Execution, err error) {
	own := workflows.EventWorkflowID(tenant, eventID)
	ids := []string{own}
	for _, id := range endpoints {
		ids = append(ids, workflows.DeliveryWorkflowID(tenant, eventID, id))
	}
	known := map[string]bool{}
	add := func(x Execution) {
		if !known[x.RunID] {
			known[x.RunID] = true
			all = append(all, x)
		}
	}
	for _, id := range ids {
		d, err := e.client.DescribeWorkflowExecution(ctx, id, "")
		if unknown(err) {
			continue
		}
		if err != nil {
			return nil, failed(err)
		}
		add(execution(d.GetWorkflowExecutionInfo()))
	}
	q := either(idIn([]string{own}), idBegins(workflows.DeliveryWorkflowID(tenant, eventID, "")))
	for x, err := range e.every(ctx, q, runsListed) {
		if err != nil {
			return nil, failed(err)
		}
		add(x)
	}
	return all, nil
}

func (e *Erasures) awaitGone(ctx context.Context, x Execution) error {
	for {
		_, err := e.client.DescribeWorkflowExecution(ctx, x.WorkflowID, x.RunID)
		if unknown(err) {
			return nil
		}
		if err != nil {
			return failed(err)
		}
		select {
		case <-ctx.Done():
			return failed(ctx.Err())
		case <-time.After(goneEvery):
		}
	}
}

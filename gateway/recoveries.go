package gateway

import (
	"context"
	"errors"
	"time"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Recoveries starts the workflows that redeliver at a pace, says how far they are, and ends them; orchestrator.Recoveries
// does. Its errors carry webhook.NotFound or webhook.Conflict; one without a code is an awayError, or ours.
type Recoveries interface {
	// Start gives the id of a run; orchestrator.ErrRecovering says that one is under way.
	Start(ctx context.Context, in workflows.RecoveryInput) (runID string, err error)
	State(ctx context.Context, tenant, endpointID string) (orchestrator.RecoveryState, error)
	Cancel(ctx context.Context, tenant, endpointID string) (workflowID, runID string, err error)
}

type startRecovery struct {
	request
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

type startedRecovery struct {
	DryRun     bool   `json:"dry_run"`
	Found      int    `json:"found" doc:"Events of the window that did not reach the endpoint. Above 50000 an upper bound: some may have been redelivered since; and above 500 that were accepted while several endpoints were disabled."`
	WorkflowID string `json:"workflow_id,omitempty" doc:"Absent after a dry run."`
	RunID      string `json:"run_id,omitempty"`
}

// startRecovery redelivers, at a pace, what an endpoint did not get, or what no endpoint wanted. A dry run only counts.
func (g *Gateway) startRecovery(ctx context.Context, in *startRecovery) (*answerOf[startedRecovery], error) {
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	order, err := parseRecovery(body, g.now().UTC())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	if order.dryRun {
		_, err = g.endpoint(ctx, in.Tenant, in.ID)
	} else {
		err = g.takesDeliveries(ctx, in.Tenant, in.ID)
	}
	if err != nil {
		return nil, err
	}
	w := webhook.Window{Tenant: in.Tenant, EndpointID: in.ID, Since: order.since, Until: order.until, Unmatched: order.unmatched}
	out := startedRecovery{DryRun: order.dryRun}
	if out.Found, err = g.redeliveries.Count(ctx, w); err != nil {
		return nil, err
	}
	if !order.dryRun {
		out.WorkflowID = workflows.RecoveryWorkflowID(in.Tenant, in.ID)
		out.RunID, err = g.recoveries.Start(ctx, workflows.RecoveryInput{
			Window: w, RatePerSecond: order.rate, Verb: webhook.Verb{By: subject(ctx)},
		})
	}
	if errors.Is(err, orchestrator.ErrRecovering) {
		err = webhook.Errorf(webhook.Conflict, "a recovery of this endpoint is running; GET …/recover tells how far it is, DELETE ends it")
	}
	return &answerOf[startedRecovery]{Body: out}, err
}

// recovery is how far the latest recovery of an endpoint is, or came.
type recovery struct {
	Status        string    `json:"status" enum:"running,completed,cancelled,failed"`
	Reason        string    `json:"reason,omitempty" doc:"Why it ended early, if it did."`
	Found         int       `json:"found" doc:"Events of the window that did not reach the endpoint, so far."`
	Redelivered   int       `json:"redelivered" doc:"Of them started again."`
	Skipped       int       `json:"skipped" doc:"Under way or delivered meanwhile, or their history is gone."`
	Since         time.Time `json:"since"`
	Until         time.Time `json:"until"`
	Unmatched     bool      `json:"unmatched,omitempty" doc:"It brings events that no endpoint wanted."`
	RatePerSecond float64   `json:"rate_per_second"`
	By            string    `json:"by" doc:"Who started it."`
	WorkflowID    string    `json:"workflow_id"`
	RunID         string    `json:"run_id"`
}

func (g *Gateway) getRecovery(ctx context.Context, in *endpointPath) (*answerOf[recovery], error) {
	if !endpointID.MatchString(in.ID) {
		return nil, noSuchEndpoint()
	}
	r, err := g.recoveries.State(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	w := r.Input.Window
	return &answerOf[recovery]{Body: recovery{
		Status: string(r.Status), Reason: r.Reason,
		Found: r.Report.Found, Redelivered: r.Report.Redelivered, Skipped: r.Report.Skipped,
		Since: w.Since, Until: w.Until, Unmatched: w.Unmatched, RatePerSecond: r.Input.RatePerSecond, By: r.Input.Verb.By,
		WorkflowID: r.WorkflowID, RunID: r.RunID,
	}}, nil
}

type endedRecovery struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
}

// cancelRecovery ends a recovery after the delivery at hand. What it has started goes on.
func (g *Gateway) cancelRecovery(ctx context.Context, in *endpointPath) (*answerOf[endedRecovery], error) {
	if !endpointID.MatchString(in.ID) {
		return nil, noSuchEndpoint()
	}
	var ended endedRecovery
	var err error
	if ended.WorkflowID, ended.RunID, err = g.recoveries.Cancel(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	return &answerOf[endedRecovery]{Body: ended}, nil
}

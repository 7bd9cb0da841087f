package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/wellformed"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Recoveries starts the workflows that redeliver at a pace, says how far they are, and ends them;
// orchestrator.Recoveries does. Its errors carry webhook.NotFound or webhook.Conflict; one without
// a code is an awayError, or ours.
type Recoveries interface {
	// Start gives the id of a run; orchestrator.ErrRecovering says that one is under way.
	Start(ctx context.Context, in workflows.RecoveryInput) (runID string, err error)
	State(ctx context.Context, tenant, endpointID string) (orchestrator.RecoveryState, error)
	Cancel(ctx context.Context, tenant, endpointID string) (workflowID, runID string, err error)
}

func (g *Gateway) recoveryRoutes(to huma.API) {
	const recovery = "/v1/tenants/{tenant}/endpoints/{id}/recover"
	route(g, to, operation{
		id: "recover-endpoint", tag: tagRecoveries, refuses: []api.Code{api.Conflict, api.EndpointIsDisabled}, cost: costly, method: http.MethodPost, path: recovery, scope: api.EndpointsWrite, within: getTimeout, status: http.StatusAccepted,
		summary: "Redeliver what an endpoint did not get",
		text: "Everything whose delivery began from `since` to before `until` and ended undelivered, and what was accepted in that time " +
			"while the endpoint was disabled, however much it is. With `unmatched`, in their place the events accepted in that time that no endpoint wanted, " +
			"of types that this one wants now. The `webhook-id` is the same as ever. With `dry_run` nothing is started. " +
			"`conflict` while a recovery of the endpoint is running, `endpoint_disabled` while nothing goes to it.",
		example: map[string]any{"since": "2026-01-31T12:00:00Z", "dry_run": true},
	}, g.startRecovery)
	route(g, to, operation{
		id: "get-recovery", tag: tagRecoveries, cost: costly, method: http.MethodGet, path: recovery, scope: api.EndpointsRead,
		summary: "How far the latest recovery of an endpoint is",
	}, g.getRecovery)
	route(g, to, operation{
		id: "cancel-recovery", tag: tagRecoveries, refuses: []api.Code{api.Conflict}, method: http.MethodDelete, path: recovery, scope: api.EndpointsWrite, status: http.StatusAccepted,
		summary: "End the recovery of an endpoint", text: "Deliveries it has started go on.",
	}, g.cancelRecovery)
}

// startRecovery redelivers, at a pace, what an endpoint did not get, or what no endpoint wanted. A
// dry run only counts.
func (g *Gateway) startRecovery(ctx context.Context, in *inEndpoint[api.NewRecovery]) (*answerOf[api.StartedRecovery], error) {
	order, err := recoveryOf(in.value, g.cfg.Now().UTC())
	if err != nil {
		return nil, err
	}
	if order.dryRun {
		_, err = g.endpoint(ctx, in.Tenant, in.ID)
	} else {
		err = g.takesDeliveries(ctx, in.Tenant, in.ID)
	}
	if err != nil {
		return nil, err
	}
	w := webhook.Window{Tenant: in.Tenant, EndpointID: in.ID, Since: order.since, Until: order.until, Unmatched: order.unmatched}
	out := api.StartedRecovery{DryRun: order.dryRun}
	if out.Found, err = g.cfg.Redeliveries.Count(ctx, w); err != nil {
		return nil, err
	}
	if !order.dryRun {
		out.WorkflowID = workflows.RecoveryWorkflowID(in.Tenant, in.ID)
		out.RunID, err = g.cfg.Recoveries.Start(ctx, workflows.RecoveryInput{
			Window: w, RatePerSecond: order.rate, Instruction: webhook.Instruction{By: subject(ctx)},
		})
	}
	if errors.Is(err, orchestrator.ErrRecovering) {
		err = webhook.Errorf(webhook.Conflict, "a recovery of this endpoint is running; GET …/recover tells how far it is, DELETE ends it")
	}
	return answered(out, err)
}

func (g *Gateway) getRecovery(ctx context.Context, in *EndpointPath) (*answerOf[api.Recovery], error) {
	r, err := g.cfg.Recoveries.State(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	w := r.Input.Window
	return &answerOf[api.Recovery]{Body: api.Recovery{
		Status: string(r.Status), Reason: r.Reason,
		Found: r.Report.Found, Redelivered: r.Report.Redelivered, Skipped: r.Report.Skipped,
		Since: w.Since, Until: w.Until, Unmatched: w.Unmatched, RatePerSecond: r.Input.RatePerSecond, By: r.Input.Instruction.By,
		WorkflowID: r.WorkflowID, RunID: r.RunID,
	}}, nil
}

// cancelRecovery ends a recovery after the delivery at hand. What it has started goes on.
func (g *Gateway) cancelRecovery(ctx context.Context, in *EndpointPath) (*answerOf[api.CancelledRecovery], error) {
	workflowID, runID, err := g.cfg.Recoveries.Cancel(ctx, in.Tenant, in.ID)
	return answered(api.CancelledRecovery{WorkflowID: workflowID, RunID: runID}, err)
}

// recoveryOrder is what to recover, and how.
type recoveryOrder struct {
	since, until time.Time
	dryRun       bool
	unmatched    bool
	rate         float64
}

// recoveryOf reads the times of an order.
func recoveryOf(n api.NewRecovery, now time.Time) (o recoveryOrder, err error) {
	o = recoveryOrder{until: now.Truncate(time.Millisecond), dryRun: n.DryRun, unmatched: n.Unmatched, rate: cmp.Or(n.RatePerSecond, webhook.DefaultReleaseRate)}
	if o.since, err = wellformed.Moment("since", n.Since, now); err != nil {
		return o, err
	}
	if n.Until != "" {
		o.until, err = wellformed.Moment("until", n.Until, now)
	}
	switch {
	case err != nil:
		return o, err
	case o.since.IsZero():
		return o, webhook.Invalidf("since", "%s", webhook.MomentForms)
	case !o.since.Before(o.until):
		return o, webhook.Invalidf("since", "must lie before until, which is now if not given")
	}
	return o, nil
}

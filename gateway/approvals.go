package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// Approvals talks to the workflows that ask people about endpoints that keep failing. Its errors
// carry webhook.NotFound or webhook.Conflict; one without a code means Temporal is out of reach.
type Approvals interface {
	// List gives those of a status, "" for all that have not ended, from where page, the next of
	// an earlier call, left off.
	List(ctx context.Context, tenant string, status webhook.ApprovalStatus, limit int, page []byte) (found []webhook.ApprovalReport, next []byte, err error)
	// Get tells of the latest one of an endpoint.
	Get(ctx context.Context, tenant, endpointID string) (webhook.ApprovalReport, error)
	Approve(ctx context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error)
	Reject(ctx context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error)
	// Resume releases what waits for an endpoint that is not active, failing before or not.
	Resume(ctx context.Context, tenant, endpointID string, d webhook.Decision) error
	// End ends the endpoint's episode; it is no error if there is none.
	End(ctx context.Context, tenant, endpointID string, e webhook.End) error
}

func (g *Gateway) approvalRoutes(to huma.API) {
	const (
		approvals = "/v1/tenants/{tenant}/approvals"
		one       = approvals + "/{endpoint_id}"
	)
	route(g, to, operation{
		id: "list-approvals", tag: tagApprovals, cost: costly, method: http.MethodGet, path: approvals, scope: api.ApprovalsRead, within: acceptTimeout,
		summary: "List endpoints that keep failing",
		text:    "Those about which people are asked are `awaiting-approval`. An approval shows up, and changes its status, a moment after it did.",
	}, g.listApprovals)
	route(g, to, operation{
		id: "get-approval", tag: tagApprovals, method: http.MethodGet, path: one, scope: api.ApprovalsRead, within: acceptTimeout,
		summary: "How the latest approval of an endpoint stands",
	}, g.getApproval)
	route(g, to, operation{
		id: "approve-endpoint", tag: tagApprovals, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: one + "/approve", scope: api.ApprovalsWrite, within: acceptTimeout, status: http.StatusAccepted,
		summary: "Try a held endpoint again",
		text: "Its oldest delivery is sent as the probe; if the endpoint takes it, it is active and the others follow, the oldest first, at `rate_per_second`. " +
			"If it refuses that event, the next two are tried. Else the endpoint is held again. Answers how the approval stood when the decision came. `conflict` if people are not asked, or a decision was made already.",
		example: releaseExample,
	}, g.approve)
	route(g, to, operation{
		id: "reject-endpoint", tag: tagApprovals, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: one + "/reject", scope: api.ApprovalsWrite, within: acceptTimeout, status: http.StatusAccepted,
		summary: "Give a held endpoint up",
		text: "It is disabled, and its deliveries end as `rejected`; once it is resumed, they can be recovered. " +
			"Answers how the approval stood when the decision came. `conflict` if people are not asked, or a decision was made already.",
		example: instruction,
	}, g.reject)
}

type listApprovals struct {
	TenantPath
	api.ApprovalQuery
}

func (g *Gateway) listApprovals(ctx context.Context, in *listApprovals) (*answerOf[api.Page[api.Approval]], error) {
	list := "approvals of " + in.Tenant + " " + string(in.Status)
	position, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := g.cfg.Approvals.List(ctx, in.Tenant, in.Status, in.Limit, position)
	if err != nil {
		return nil, approvalErr("every endpoint", err)
	}
	names := g.stats.Names(ctx, in.Tenant, idsOf(found, func(r webhook.ApprovalReport) string { return r.EndpointID }))
	return page(found, g.newCursor(list, next), func(r webhook.ApprovalReport) api.Approval {
		shown := approval(r)
		shown.Endpoint = names[r.EndpointID]
		return shown
	}), nil
}

func (g *Gateway) getApproval(ctx context.Context, in *ApprovalPath) (*answerOf[api.Approval], error) {
	report, err := g.cfg.Approvals.Get(ctx, in.Tenant, in.EndpointID)
	if err != nil {
		return nil, approvalErr(in.EndpointID, err)
	}
	shown := approval(report)
	shown.Endpoint = g.stats.Names(ctx, in.Tenant, []string{in.EndpointID})[in.EndpointID]
	return answered(shown, nil)
}

func approval(r webhook.ApprovalReport) api.Approval {
	return api.Approval{
		EndpointID: r.EndpointID, Status: r.Status, Reason: r.Reason, FailingSince: r.FailingSince, AskAt: r.AskAt, AskedAt: r.AskedAt,
		DecideBy: r.DecideBy, LastAnswers: r.LastAnswers, Waiting: r.Waiting, CountedAt: r.CountedAt,
		Decided: r.Decided, Decision: r.Decision, DecidedAt: r.DecidedAt, Released: r.Released, WorkflowID: r.WorkflowID, RunID: r.RunID,
	}
}

func (g *Gateway) approve(ctx context.Context, in *inApproval[api.Release]) (*answerOf[api.Approval], error) {
	return decide(ctx, in.ApprovalPath, release(ctx, in.value), g.cfg.Approvals.Approve)
}

// release is what a person decides who lets deliveries go.
func release(ctx context.Context, r api.Release) webhook.Decision {
	return webhook.Decision{By: subject(ctx), Reason: r.Reason, RatePerSecond: r.RatePerSecond}
}

func (g *Gateway) reject(ctx context.Context, in *inApproval[api.Instruction]) (*answerOf[api.Approval], error) {
	return decide(ctx, in.ApprovalPath, webhook.Decision{By: subject(ctx), Reason: in.value.Reason}, g.cfg.Approvals.Reject)
}

// decide hands a decision on and answers how the approval stood.
func decide(
	ctx context.Context, of ApprovalPath, d webhook.Decision,
	hand func(ctx context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error),
) (*answerOf[api.Approval], error) {
	report, err := hand(ctx, of.Tenant, of.EndpointID, d)
	return answered(approval(report), approvalErr(of.EndpointID, err))
}

package gateway

import (
	"context"
	"encoding/json"

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

type listApprovals struct {
	Tenant string                 `path:"tenant"`
	Status webhook.ApprovalStatus `query:"status" enum:"watching,awaiting-approval,probing,releasing,released,recovered,rejected,cancelled" doc:"Absent: all that have not ended."`
	Limit  int                    `query:"limit" minimum:"1" maximum:"250" default:"50"`
	Cursor string                 `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before; the other parameters must be the same."`
}

type approvalPage struct {
	Data       []webhook.ApprovalReport `json:"data"`
	NextCursor *string                  `json:"next_cursor" nullable:"true" doc:"null on the last page."`
}

func (g *Gateway) listApprovals(ctx context.Context, in *listApprovals) (*answerOf[approvalPage], error) {
	list := "approvals of " + in.Tenant + " " + string(in.Status)
	place, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	found, next, err := g.approvals.List(ctx, in.Tenant, in.Status, in.Limit, place)
	if err != nil {
		return nil, approvalErr("every endpoint", err)
	}
	if found == nil {
		found = []webhook.ApprovalReport{}
	}
	return &answerOf[approvalPage]{Body: approvalPage{Data: found, NextCursor: g.newCursor(list, next)}}, nil
}

type approvalPath struct {
	Tenant     string `path:"tenant"`
	EndpointID string `path:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) getApproval(ctx context.Context, in *approvalPath) (*answerOf[webhook.ApprovalReport], error) {
	if !endpointID.MatchString(in.EndpointID) {
		return nil, noSuchEndpoint()
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	report, err := g.approvals.Get(ctx, in.Tenant, in.EndpointID)
	if err != nil {
		return nil, approvalErr(in.EndpointID, err)
	}
	return &answerOf[webhook.ApprovalReport]{Body: report}, nil
}

// decideApproval is what a person says to an approval.
type decideApproval struct {
	request
	Tenant     string `path:"tenant"`
	EndpointID string `path:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) approve(ctx context.Context, in *decideApproval) (*answerOf[webhook.ApprovalReport], error) {
	return decide(ctx, in, parseRelease, g.approvals.Approve)
}

func (g *Gateway) reject(ctx context.Context, in *decideApproval) (*answerOf[webhook.ApprovalReport], error) {
	return decide(ctx, in, func(body []byte) (webhook.Decision, error) {
		reason, err := parseOrder(body)
		return webhook.Decision{Reason: reason}, err
	}, g.approvals.Reject)
}

// decide hands a decision on and answers how the approval stood.
func decide(
	ctx context.Context, in *decideApproval, parse func([]byte) (webhook.Decision, error),
	hand func(ctx context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error),
) (*answerOf[webhook.ApprovalReport], error) {
	body, err := in.body(true)
	if err != nil {
		return nil, err
	}
	d, err := parse(body)
	if err != nil {
		return nil, err
	}
	if !endpointID.MatchString(in.EndpointID) {
		return nil, noSuchEndpoint()
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	d.By = subject(ctx)
	report, err := hand(ctx, in.Tenant, in.EndpointID, d)
	if err != nil {
		return nil, approvalErr(in.EndpointID, err)
	}
	return &answerOf[webhook.ApprovalReport]{Body: report}, nil
}

// parseRelease reads {"reason"?, "rate_per_second"?}; null stands for the default, and the body may
// be missing altogether.
func parseRelease(body []byte) (d webhook.Decision, err error) {
	if len(body) == 0 {
		return d, nil
	}
	all, err := fields(body)
	if err != nil {
		return d, err
	}
	for _, f := range all {
		switch f.name {
		case "reason":
			err = setReason(&d.Reason, f)
		case "rate_per_second":
			err = setRate(&d.RatePerSecond, f)
		default:
			err = webhook.Invalidf(f.name, "is not a field of a release (reason, rate_per_second)")
		}
		if err != nil {
			return d, err
		}
	}
	return d, d.Check()
}

// setRate refuses a zero somebody wrote: in a Decision it stands for the default.
func setRate(rate *float64, f field) error {
	if json.Unmarshal(f.value, rate) != nil {
		return webhook.Invalidf("rate_per_second", "must be a number")
	}
	if *rate == 0 && !f.isNull() {
		return webhook.Invalidf("rate_per_second", "must not be 0; pause the endpoint to let nothing go")
	}
	return nil
}

package gateway_test

import (
	"context"

	"hookloop/internal/webhook"
)

// fakeApprovals keeps what it was told, and answers what it is given.
type fakeApprovals struct {
	report webhook.ApprovalReport
	found  []webhook.ApprovalReport
	next   []byte
	down   error // what every call answers, when set
	calls  []approvalCall
}

// approvalCall is one call; what it does not have is zero.
type approvalCall struct {
	verb, tenant, endpointID string
	decision                 webhook.Decision
	end                      webhook.End
	status                   webhook.ApprovalStatus
	limit                    int
	page                     string
}

func (f *fakeApprovals) called(c approvalCall) error {
	f.calls = append(f.calls, c)
	return f.down
}

func (f *fakeApprovals) List(_ context.Context, tenant string, status webhook.ApprovalStatus, limit int, page []byte) (found []webhook.ApprovalReport, next []byte, err error) {
	return f.found, f.next, f.called(approvalCall{verb: "list", tenant: tenant, status: status, limit: limit, page: string(page)})
}

func (f *fakeApprovals) Get(_ context.Context, tenant, endpointID string) (webhook.ApprovalReport, error) {
	return f.report, f.called(approvalCall{verb: "get", tenant: tenant, endpointID: endpointID})
}

func (f *fakeApprovals) Approve(_ context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error) {
	return f.report, f.called(approvalCall{verb: "approve", tenant: tenant, endpointID: endpointID, decision: d})
}

func (f *fakeApprovals) Reject(_ context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error) {
	return f.report, f.called(approvalCall{verb: "reject", tenant: tenant, endpointID: endpointID, decision: d})
}

func (f *fakeApprovals) Resume(_ context.Context, tenant, endpointID string, d webhook.Decision) error {
	return f.called(approvalCall{verb: "resume", tenant: tenant, endpointID: endpointID, decision: d})
}

func (f *fakeApprovals) End(ctx context.Context, tenant, endpointID string, e webhook.End) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return f.called(approvalCall{verb: "end", tenant: tenant, endpointID: endpointID, end: e})
}

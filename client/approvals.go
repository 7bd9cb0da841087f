package client

import (
	"net/http"

	"hookloop/api"
)

// Approvals are about endpoints that keep failing: people decide.
type Approvals struct{ scope }

// List shows approvals. One shows up, and changes its status, a moment after it did.
func (a Approvals) List(query api.ApprovalQuery) List[api.Approval] {
	return list[api.Approval](a.scope, query, "approvals")
}

// Get shows the latest approval of an endpoint.
func (a Approvals) Get(endpointID string) Call[api.Approval] {
	return call[api.Approval](a.scope, http.MethodGet, "approvals", endpointID)
}

// Approve tries a held endpoint again. The answer is the approval as it stood before.
func (a Approvals) Approve(endpointID string, r api.Release) Call[api.Approval] {
	return call[api.Approval](a.scope, http.MethodPost, "approvals", endpointID, "approve").with(r)
}

// Reject gives a held endpoint up: it is disabled. The answer is the approval as it stood before.
func (a Approvals) Reject(endpointID string, i api.Instruction) Call[api.Approval] {
	return call[api.Approval](a.scope, http.MethodPost, "approvals", endpointID, "reject").with(i)
}

// Audit is what happened to everything of a tenant.
type Audit struct{ scope }

// List shows what happened, line by line; a workflow that ends between two pages may be on both.
func (a Audit) List(query api.AuditQuery) List[api.AuditLine] {
	return list[api.AuditLine](a.scope, query, "audit")
}

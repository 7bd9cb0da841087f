package api

import "hookloop/internal/webhook"

// The scopes a token may hold.
const (
	EventsRead     = "events:read"
	EventsWrite    = "events:write"
	EventsData     = "events:data" // what events say; each read is logged
	EndpointsRead  = "endpoints:read"
	EndpointsWrite = "endpoints:write"
	ApprovalsRead  = "approvals:read"
	ApprovalsWrite = "approvals:write"
	SourcesRead    = "sources:read"
	SourcesWrite   = "sources:write"
	AuditRead      = "audit:read" // histories, payloads among them
	AuditErase     = "audit:erase"
	AuditHold      = "audit:hold" // legal holds, which refuse erasures
)

// Scopes lists all of them.
func Scopes() []string {
	return []string{
		EventsRead, EventsWrite, EventsData, EndpointsRead, EndpointsWrite, ApprovalsRead, ApprovalsWrite, SourcesRead, SourcesWrite,
		AuditRead, AuditErase, AuditHold,
	}
}

// EveryTenant stands for all tenants in a token's list of them.
const EveryTenant = webhook.EveryTenant

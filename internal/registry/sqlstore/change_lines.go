package sqlstore

import (
	"cmp"
	"context"
	"database/sql"

	"hookloop/internal/webhook"
)

// recordEndpoint tells the change log what became of an endpoint. A change that can be seen nowhere
// is none.
func (s *Store) recordEndpoint(ctx context.Context, tx *sql.Tx, kind webhook.AuditKind, was, now webhook.Endpoint) error {
	l := webhook.AuditLine{
		Kind: kind, EndpointID: now.ID, EndpointVersion: now.Version, EndpointURLHost: now.URLHost(), Status: string(now.State), Changes: was.Changes(now),
	}
	switch kind { //nolint:exhaustive // of fifty kinds, those that matter here
	case webhook.AuditEndpointDeleted:
		l.EndpointID, l.EndpointVersion, l.EndpointURLHost, l.Status = was.ID, was.Version, was.URLHost(), ""
	case webhook.AuditEndpointChanged:
		if len(l.Changes) == 0 {
			return nil
		}
		l.Kind = kindOfChange(l.Changes)
	default:
	}
	if was.State != now.State {
		l.Reason = now.StateReason
	}
	tenant := cmp.Or(now.Tenant, was.Tenant)
	return s.record(ctx, tx, tenant, l)
}

// kindOfChange tells changes of the state alone, and of the secret alone, from others.
func kindOfChange(all []webhook.AuditChange) webhook.AuditKind {
	state, secret := true, true
	for _, c := range all {
		state = state && (c.Field == "state" || c.Field == "state_reason")
		secret = secret && c.Field == "secret"
	}
	switch {
	case state:
		return webhook.AuditEndpointState
	case secret:
		return webhook.AuditSecretRotated
	}
	return webhook.AuditEndpointChanged
}

// recordSource tells it what became of a source.
func (s *Store) recordSource(ctx context.Context, tx *sql.Tx, kind webhook.AuditKind, was, now webhook.Source) error {
	l := webhook.AuditLine{Kind: kind, SourceID: now.ID, Changes: was.Changes(now)}
	tenant := now.Tenant
	if kind == webhook.AuditSourceDeleted {
		l.SourceID, tenant = was.ID, was.Tenant
	}
	if len(l.Changes) == 0 && kind == webhook.AuditSourceChanged {
		return nil
	}
	return s.record(ctx, tx, tenant, l)
}

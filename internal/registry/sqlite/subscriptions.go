package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	// selectMatch looks each pattern up in the primary key, which holds all it reads: CROSS JOIN keeps
	// SQLite to that order. A list of placeholders would be another statement for each depth of a type.
	selectMatch = `SELECT DISTINCT endpoint_id, disabled FROM json_each(?2) AS pattern CROSS JOIN subscriptions
		WHERE tenant = ?1 AND event_type = pattern.value ORDER BY endpoint_id, disabled`
	insertSubscription  = `INSERT INTO subscriptions (tenant, event_type, endpoint_id, disabled) VALUES (?, ?, ?, ?)`
	deleteSubscriptions = `DELETE FROM subscriptions WHERE tenant = ? AND endpoint_id = ?`
)

// Match gives the ids of the tenant's endpoints that take its own events of a type, in order. It sees every
// change that has returned.
func (r *Registry) Match(ctx context.Context, tenant, eventType string) (webhook.Match, error) {
	return r.subscribed(ctx, tenant, webhook.TypePatterns(eventType))
}

// MatchNamed gives the ids of those that name the type and are not disabled: what Hookloop itself says goes to no others.
func (r *Registry) MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error) {
	found, err := r.subscribed(ctx, tenant, webhook.NamedPatterns(eventType))
	return found.IDs, err
}

func (r *Registry) subscribed(ctx context.Context, tenant string, patterns []string) (found webhook.Match, err error) {
	list, err := json.Marshal(patterns)
	if err != nil {
		return found, err
	}
	rows, err := r.match.QueryContext(ctx, tenant, string(list))
	if err != nil {
		return found, endpointsOf(tenant, err)
	}
	defer func() { _ = rows.Close() }()

	for rows.Next() {
		var id string
		var disabled bool
		if err := rows.Scan(&id, &disabled); err != nil {
			return found, endpointsOf(tenant, err)
		}
		found.Add(id, disabled)
	}
	return found, endpointsOf(tenant, rows.Err())
}

func subscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	s := registry.SubscriptionOf(e)
	for _, pattern := range s.Patterns {
		if _, err := tx.ExecContext(ctx, insertSubscription, e.Tenant, pattern, e.ID, s.Disabled); err != nil {
			return err
		}
	}
	return nil
}

func resubscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	if _, err := tx.ExecContext(ctx, deleteSubscriptions, e.Tenant, e.ID); err != nil {
		return err
	}
	return subscribe(ctx, tx, e)
}

package postgres

import (
	"context"
	"database/sql"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	// selectMatch looks each pattern up in the primary key, which holds all it reads. OFFSET 0 keeps the
	// lookups apart: with = ANY ($2) PostgreSQL may take it into its head to read all of the tenant's.
	selectMatch = `SELECT DISTINCT found.endpoint_id, found.disabled FROM unnest($2::text[]) AS pattern, LATERAL
		(SELECT endpoint_id, disabled FROM subscriptions WHERE tenant = $1 AND event_type = pattern OFFSET 0) AS found
		ORDER BY found.endpoint_id, found.disabled`
	insertSubscriptions = `INSERT INTO subscriptions (tenant, endpoint_id, disabled, event_type) SELECT $1, $2, $3::boolean, unnest($4::text[])`
	deleteSubscriptions = `DELETE FROM subscriptions WHERE tenant = $1 AND endpoint_id = $2`
)

// Match gives the ids of the tenant's endpoints that take its own events of a type, in order. It sees every
// change that has returned.
func (r *Registry) Match(ctx context.Context, tenant, eventType string) (webhook.Match, error) {
	return r.subscribed(ctx, tenant, webhook.TypePatterns(eventType))
}

// MatchNamed gives the ids of those that name the type and are not disabled: what Hookloop itself says goes
// to no others.
func (r *Registry) MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error) {
	found, err := r.subscribed(ctx, tenant, webhook.NamedPatterns(eventType))
	return found.IDs, err
}

func (r *Registry) subscribed(ctx context.Context, tenant string, patterns []string) (found webhook.Match, err error) {
	rows, err := r.db.QueryContext(ctx, selectMatch, tenant, patterns)
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

// ids gives those of the tenant's endpoints that a query finds.
func (r *Registry) ids(ctx context.Context, query, tenant string, by any) ([]string, error) {
	rows, err := r.db.QueryContext(ctx, query, tenant, by)
	if err != nil {
		return nil, endpointsOf(tenant, err)
	}
	defer func() { _ = rows.Close() }()

	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, endpointsOf(tenant, err)
		}
		ids = append(ids, id)
	}
	return ids, endpointsOf(tenant, rows.Err())
}

func subscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	s := registry.SubscriptionOf(e)
	_, err := tx.ExecContext(ctx, insertSubscriptions, e.Tenant, e.ID, s.Disabled, s.Patterns)
	return err
}

func resubscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	if _, err := tx.ExecContext(ctx, deleteSubscriptions, e.Tenant, e.ID); err != nil {
		return err
	}
	return subscribe(ctx, tx, e)
}

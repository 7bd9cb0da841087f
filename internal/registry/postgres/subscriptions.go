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
	selectMatch = `SELECT DISTINCT found.endpoint_id FROM unnest($2::text[]) AS pattern, LATERAL
		(SELECT endpoint_id FROM subscriptions WHERE tenant = $1 AND event_type = pattern OFFSET 0) AS found
		ORDER BY found.endpoint_id`
	insertSubscriptions = `INSERT INTO subscriptions (tenant, endpoint_id, event_type) SELECT $1, $2, unnest($3::text[])`
	deleteSubscriptions = `DELETE FROM subscriptions WHERE tenant = $1 AND endpoint_id = $2`
)

// Match gives the ids of the tenant's endpoints that take its own events of a type and are not
// disabled, in order. It sees every change that has returned.
func (r *Registry) Match(ctx context.Context, tenant, eventType string) ([]string, error) {
	return r.ids(ctx, selectMatch, tenant, webhook.TypePatterns(eventType))
}

// MatchNamed gives the ids of those that name the type: what Hookloop itself says goes to no others.
func (r *Registry) MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error) {
	return r.ids(ctx, selectMatch, tenant, webhook.NamedPatterns(eventType))
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
	_, err := tx.ExecContext(ctx, insertSubscriptions, e.Tenant, e.ID, registry.Subscriptions(e))
	return err
}

func resubscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	if _, err := tx.ExecContext(ctx, deleteSubscriptions, e.Tenant, e.ID); err != nil {
		return err
	}
	return subscribe(ctx, tx, e)
}

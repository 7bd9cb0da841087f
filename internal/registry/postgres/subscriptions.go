package postgres

import (
	"context"
	"database/sql"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	// selectMatch reads two ranges of the primary key and sorts the ids it found. With IN ($2, '*')
	// PostgreSQL may take it into its head to read all of the tenant's.
	selectMatch = `SELECT endpoint_id FROM subscriptions WHERE tenant = $1 AND event_type = $2
		UNION ALL
		SELECT endpoint_id FROM subscriptions WHERE tenant = $1 AND event_type = '` + registry.EveryType + `'
		ORDER BY endpoint_id`
	insertSubscriptions = `INSERT INTO subscriptions (tenant, endpoint_id, event_type) SELECT $1, $2, unnest($3::text[])`
	deleteSubscriptions = `DELETE FROM subscriptions WHERE tenant = $1 AND endpoint_id = $2`
)

// Match gives the ids of the tenant's endpoints that take events of a type and are not disabled, in
// order. It sees every change that has returned.
func (r *Registry) Match(ctx context.Context, tenant, eventType string) ([]string, error) {
	return r.ids(ctx, selectMatch, tenant, eventType)
}

// ids gives those of the tenant's endpoints that a query finds.
func (r *Registry) ids(ctx context.Context, query, tenant, by string) ([]string, error) {
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

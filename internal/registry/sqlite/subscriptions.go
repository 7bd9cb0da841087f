package sqlite

import (
	"context"
	"database/sql"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	// selectMatch reads two ranges of the primary key, each in the order of endpoint ids already,
	// and merges them. IN (?2, '*') would have to sort.
	selectMatch = `SELECT endpoint_id FROM subscriptions WHERE tenant = ?1 AND event_type = ?2
		UNION ALL
		SELECT endpoint_id FROM subscriptions WHERE tenant = ?1 AND event_type = '` + registry.EveryType + `'
		ORDER BY endpoint_id`
	insertSubscription  = `INSERT INTO subscriptions (tenant, event_type, endpoint_id) VALUES (?, ?, ?)`
	deleteSubscriptions = `DELETE FROM subscriptions WHERE tenant = ? AND endpoint_id = ?`
)

// Match gives the ids of the tenant's endpoints that take events of a type and are not disabled, in
// order. It sees every change that has returned.
func (r *Registry) Match(ctx context.Context, tenant, eventType string) ([]string, error) {
	rows, err := r.match.QueryContext(ctx, tenant, eventType)
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
	for _, eventType := range registry.Subscriptions(e) {
		if _, err := tx.ExecContext(ctx, insertSubscription, e.Tenant, eventType, e.ID); err != nil {
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

package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectEndpoint  = `SELECT ` + registry.EndpointColumns + ` FROM endpoints WHERE tenant = $1 AND id = $2`
	lockEndpoint    = selectEndpoint + ` FOR UPDATE`
	selectEndpoints = `SELECT ` + registry.EndpointColumns + ` FROM endpoints WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`
	countEndpoints  = `SELECT count(*) FROM endpoints WHERE tenant = $1`
	endpointValues  = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`
	insertEndpoint  = `INSERT INTO endpoints (` + registry.EndpointColumns + `) VALUES ` + endpointValues
	updateEndpoint  = `UPDATE endpoints SET (` + registry.EndpointColumns + `) = ` + endpointValues + `
		WHERE tenant = $1 AND id = $2 RETURNING ` + registry.EndpointColumns
	reportBreaker  = `UPDATE endpoints SET breaker_opened_at = $3 WHERE tenant = $1 AND id = $2 AND (breaker_opened_at < $3 OR $3 = 0 AND breaker_opened_at <> 0)`
	deleteEndpoint = `DELETE FROM endpoints WHERE tenant = $1 AND id = $2`
)

// CreateEndpoint adds an endpoint as it is. It answers a webhook.Conflict error when the id is taken
// or the tenant has registry.MaxEndpoints already.
func (r *Registry) CreateEndpoint(ctx context.Context, e webhook.Endpoint) error {
	row, err := r.sealer.EndpointRow(e)
	if err != nil {
		return about(e.ID, err)
	}
	return about(e.ID, r.write(ctx, func(tx *sql.Tx) error { return createEndpoint(ctx, tx, e, row) }))
}

func createEndpoint(ctx context.Context, tx *sql.Tx, e webhook.Endpoint, row []any) error {
	if err := lock(ctx, tx, "endpoints", e.Tenant); err != nil { // or two could both become the last
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, countEndpoints, e.Tenant).Scan(&n); err != nil {
		return err
	}
	if n >= registry.MaxEndpoints {
		return webhook.Errorf(webhook.Conflict, "the tenant has %d endpoints, no more are allowed", n)
	}
	if _, err := tx.ExecContext(ctx, insertEndpoint, row...); err != nil {
		return err
	}
	return subscribe(ctx, tx, e)
}

// Endpoint looks an endpoint up, its secrets opened. It answers a webhook.NotFound error for one
// the tenant does not have.
func (r *Registry) Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	e, err := r.sealer.ReadEndpoint(r.db.QueryRowContext(ctx, selectEndpoint, tenant, id))
	if err != nil {
		return webhook.Endpoint{}, about(id, err)
	}
	return e, nil
}

// CountEndpoints gives the number of the tenant's endpoints.
func (r *Registry) CountEndpoints(ctx context.Context, tenant string) (n int, err error) {
	err = r.db.QueryRowContext(ctx, countEndpoints, tenant).Scan(&n)
	return n, endpointsOf(tenant, err)
}

// Endpoints lists at most limit of the tenant's endpoints in the order of their ids, from the one
// that follows after; "" starts at the first.
func (r *Registry) Endpoints(ctx context.Context, tenant, after string, limit int) ([]webhook.Endpoint, error) {
	rows, err := r.db.QueryContext(ctx, selectEndpoints, tenant, after, limit)
	if err != nil {
		return nil, endpointsOf(tenant, err)
	}
	defer func() { _ = rows.Close() }()

	var all []webhook.Endpoint
	for rows.Next() {
		e, err := r.sealer.ReadEndpoint(rows)
		if err != nil {
			return nil, about(e.ID, err)
		}
		all = append(all, e)
	}
	return all, endpointsOf(tenant, rows.Err())
}

// UpdateEndpoint lets change work on an endpoint, writes what it leaves and returns that. Nobody
// else writes the endpoint meanwhile, so change must be quick and must not call the registry. When it
// answers an error nothing is written. Whatever it does to the id, the tenant, the version or the time
// of creation is undone; the time of the update is its to set.
func (r *Registry) UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	var now webhook.Endpoint
	err := r.write(ctx, func(tx *sql.Tx) (err error) {
		now, err = r.update(ctx, tx, tenant, id, change)
		return err
	})
	if err != nil {
		return webhook.Endpoint{}, about(id, err)
	}
	return now, nil
}

func (r *Registry) update(ctx context.Context, tx *sql.Tx, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	before, err := r.sealer.ReadEndpoint(tx.QueryRowContext(ctx, lockEndpoint, tenant, id))
	if err != nil {
		return before, err
	}
	subscribed := registry.SubscriptionOf(before)

	e := before
	if err := change(&e); err != nil {
		return e, err
	}
	e.Tenant, e.ID, e.CreatedAt, e.Version = before.Tenant, before.ID, before.CreatedAt, before.Version+1
	if e.BreakerOpenedAt = before.BreakerOpenedAt; e.State != before.State || e.BeginsAnew(before.Reach(), before.Releasing) {
		e.BreakerOpenedAt = time.Time{}
	}
	row, err := r.sealer.EndpointRow(e)
	if err != nil {
		return e, err
	}
	now, err := r.sealer.ReadEndpoint(tx.QueryRowContext(ctx, updateEndpoint, row...))
	if err != nil || subscribed.Equal(registry.SubscriptionOf(now)) {
		return now, err
	}
	return now, resubscribe(ctx, tx, now)
}

// DeleteEndpoint removes an endpoint, its secrets and its subscriptions. It answers a
// webhook.NotFound error for one the tenant does not have.
func (r *Registry) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	return about(id, r.delete(ctx, deleteEndpoint, tenant, id)) // subscriptions go by cascade
}

// delete wants a row to be there.
func (r *Registry) delete(ctx context.Context, query, tenant, id string) error {
	res, err := r.db.ExecContext(ctx, query, tenant, id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, sql.ErrNoRows)
	}
	return nil
}

// ReportBreaker notes that a worker's breaker opened, for the others to heed; the zero time, that the
// endpoint has recovered. One that is older than what stands there changes nothing. It is no change of the endpoint: its version stays.
func (r *Registry) ReportBreaker(ctx context.Context, tenant, id string, openedAt time.Time) error {
	_, err := r.db.ExecContext(ctx, reportBreaker, tenant, id, registry.Micros(openedAt))
	return about(id, err)
}

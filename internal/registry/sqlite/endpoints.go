package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectEndpoint  = `SELECT ` + registry.EndpointColumns + ` FROM endpoints WHERE tenant = ? AND id = ?`
	selectEndpoints = `SELECT ` + registry.EndpointColumns + ` FROM endpoints WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`
	countEndpoints  = `SELECT count(*) FROM endpoints WHERE tenant = ?`
	insertEndpoint  = `INSERT INTO endpoints (` + registry.EndpointColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	updateEndpoint  = `UPDATE endpoints SET (` + registry.EndpointColumns + `) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		WHERE tenant = ?1 AND id = ?2 RETURNING ` + registry.EndpointColumns
	reportBreaker  = `UPDATE endpoints SET breaker_opened_at = ?3 WHERE tenant = ?1 AND id = ?2 AND (breaker_opened_at < ?3 OR ?3 = 0 AND breaker_opened_at <> 0)`
	deleteEndpoint = `DELETE FROM endpoints WHERE tenant = ? AND id = ?`
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
	e, err := r.sealer.ReadEndpoint(r.endpoint.QueryRowContext(ctx, tenant, id))
	if err != nil {
		return webhook.Endpoint{}, about(id, err)
	}
	return e, nil
}

// CountEndpoints gives the number of the tenant's endpoints.
func (r *Registry) CountEndpoints(ctx context.Context, tenant string) (n int, err error) {
	err = r.readers.QueryRowContext(ctx, countEndpoints, tenant).Scan(&n)
	return n, endpointsOf(tenant, err)
}

// Endpoints lists at most limit of the tenant's endpoints in the order of their ids, from the one
// that follows after; "" starts at the first.
func (r *Registry) Endpoints(ctx context.Context, tenant, after string, limit int) ([]webhook.Endpoint, error) {
	rows, err := r.endpoints.QueryContext(ctx, tenant, after, limit)
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
// else writes meanwhile, so change must be quick and must not call the registry. When it answers an
// error nothing is written. Whatever it does to the id, the tenant, the version or the time of
// creation is undone; the time of the update is its to set.
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
	before, err := r.sealer.ReadEndpoint(tx.QueryRowContext(ctx, selectEndpoint, tenant, id))
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
	return about(id, r.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, deleteEndpoint, tenant, id) // subscriptions go by cascade
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return cmp.Or(err, sql.ErrNoRows)
		}
		return nil
	}))
}

// write does something in a transaction that no other write can come between.
func (r *Registry) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := r.writer.BeginTx(ctx, nil)
	if err != nil {
		return cmp.Or(ctx.Err(), err) // SQLite only says it was interrupted
	}
	defer func() { _ = tx.Rollback() }() // after Commit there is nothing to undo

	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// ReportBreaker notes that a worker's breaker opened, for the others to heed; the zero time, that the
// endpoint has recovered. One that is older than what stands there changes nothing. It is no change of the endpoint: its version stays.
func (r *Registry) ReportBreaker(ctx context.Context, tenant, id string, openedAt time.Time) error {
	return about(id, r.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, reportBreaker, tenant, id, registry.Micros(openedAt))
		return err
	}))
}

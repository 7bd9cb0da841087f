package postgres

import (
	"context"
	"database/sql"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectSource     = `SELECT ` + registry.SourceColumns + ` FROM sources WHERE tenant = $1 AND id = $2`
	lockSource       = selectSource + ` FOR UPDATE`
	selectSourceByID = `SELECT ` + registry.SourceColumns + ` FROM sources WHERE id = $1`
	selectSources    = `SELECT ` + registry.SourceColumns + ` FROM sources WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`
	countSources     = `SELECT count(*) FROM sources WHERE tenant = $1`
	sourceValues     = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	insertSource     = `INSERT INTO sources (` + registry.SourceColumns + `) VALUES ` + sourceValues
	updateSource     = `UPDATE sources SET (` + registry.SourceColumns + `) = ` + sourceValues + `
		WHERE tenant = $1 AND id = $2 RETURNING ` + registry.SourceColumns
	deleteSource = `DELETE FROM sources WHERE tenant = $1 AND id = $2`
)

// CreateSource adds a source as it is. It answers a webhook.Conflict error when the id is taken or
// the tenant has registry.MaxSources already.
func (r *Registry) CreateSource(ctx context.Context, s webhook.Source) error {
	row, err := r.sealer.SourceRow(s)
	if err != nil {
		return aboutSource(s.ID, err)
	}
	return aboutSource(s.ID, r.write(ctx, func(tx *sql.Tx) error { return createSource(ctx, tx, s, row) }))
}

func createSource(ctx context.Context, tx *sql.Tx, s webhook.Source, row []any) error {
	if err := lock(ctx, tx, "sources", s.Tenant); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, countSources, s.Tenant).Scan(&n); err != nil {
		return err
	}
	if n >= registry.MaxSources {
		return webhook.Errorf(webhook.Conflict, "the tenant has %d sources, no more are allowed", n)
	}
	_, err := tx.ExecContext(ctx, insertSource, row...)
	return err
}

// Source looks a source up, its config opened. It answers a webhook.NotFound error for one the tenant
// does not have.
func (r *Registry) Source(ctx context.Context, tenant, id string) (webhook.Source, error) {
	s, err := r.sealer.ReadSource(r.db.QueryRowContext(ctx, selectSource, tenant, id))
	return s, aboutSource(id, err)
}

// SourceByID looks a source up of whatever tenant: a third party's request names no tenant.
func (r *Registry) SourceByID(ctx context.Context, id string) (webhook.Source, error) {
	s, err := r.sealer.ReadSource(r.db.QueryRowContext(ctx, selectSourceByID, id))
	return s, aboutSource(id, err)
}

// CountSources gives the number of the tenant's sources.
func (r *Registry) CountSources(ctx context.Context, tenant string) (n int, err error) {
	err = r.db.QueryRowContext(ctx, countSources, tenant).Scan(&n)
	return n, sourcesOf(tenant, err)
}

// Sources lists at most limit of the tenant's sources in the order of their ids, from the one that
// follows after; "" starts at the first.
func (r *Registry) Sources(ctx context.Context, tenant, after string, limit int) ([]webhook.Source, error) {
	rows, err := r.db.QueryContext(ctx, selectSources, tenant, after, limit)
	if err != nil {
		return nil, sourcesOf(tenant, err)
	}
	defer func() { _ = rows.Close() }()

	var all []webhook.Source
	for rows.Next() {
		s, err := r.sealer.ReadSource(rows)
		if err != nil {
			return nil, aboutSource(s.ID, err)
		}
		all = append(all, s)
	}
	return all, sourcesOf(tenant, rows.Err())
}

// UpdateSource lets change work on a source, writes what it leaves and returns that, as
// UpdateEndpoint does.
func (r *Registry) UpdateSource(ctx context.Context, tenant, id string, change func(*webhook.Source) error) (s webhook.Source, err error) {
	err = r.write(ctx, func(tx *sql.Tx) error {
		before, err := r.sealer.ReadSource(tx.QueryRowContext(ctx, lockSource, tenant, id))
		if err != nil {
			return err
		}
		s = before
		if err := change(&s); err != nil {
			return err
		}
		s.Tenant, s.ID, s.CreatedAt, s.Version = before.Tenant, before.ID, before.CreatedAt, before.Version+1
		row, err := r.sealer.SourceRow(s)
		if err != nil {
			return err
		}
		s, err = r.sealer.ReadSource(tx.QueryRowContext(ctx, updateSource, row...))
		return err
	})
	if err != nil {
		return webhook.Source{}, aboutSource(id, err)
	}
	return s, nil
}

// DeleteSource removes a source. It answers a webhook.NotFound error for one the tenant does not have.
func (r *Registry) DeleteSource(ctx context.Context, tenant, id string) error {
	err := r.delete(ctx, deleteSource, tenant, id)
	if err == nil { // afterwards nothing is added to it any more
		_, err = r.db.ExecContext(ctx, deleteActivity, id)
	}
	return aboutSource(id, err)
}

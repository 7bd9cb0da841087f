package postgres

import (
	"context"
	"database/sql"
	"errors"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectCreation = `SELECT digest, id, created_at FROM creations WHERE tenant = $1 AND name = $2 AND expires_at > $3`
	upsertCreation = `INSERT INTO creations (tenant, name, digest, id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, name) DO UPDATE SET digest = excluded.digest, id = excluded.id, created_at = excluded.created_at, expires_at = excluded.expires_at`
	sweepCreations = `DELETE FROM creations WHERE (tenant, name) IN (SELECT tenant, name FROM creations WHERE expires_at <= $1 LIMIT 10 FOR UPDATE SKIP LOCKED)`
)

// CreateEndpointOnce is CreateEndpoint with an Idempotency-Key: it gives what was made with that, now or before.
func (r *Registry) CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (made webhook.Creation, err error) {
	row, err := r.sealer.EndpointRow(e)
	if err != nil {
		return made, about(e.ID, err)
	}
	err = r.write(ctx, func(tx *sql.Tx) error {
		made, err = once(ctx, tx, "endpoints", e.Tenant, c, func() error { return createEndpoint(ctx, tx, e, row) })
		return err
	})
	return made, about(e.ID, err)
}

// CreateSourceOnce is CreateSource with an Idempotency-Key, likewise.
func (r *Registry) CreateSourceOnce(ctx context.Context, s webhook.Source, c webhook.Creation) (made webhook.Creation, err error) {
	row, err := r.sealer.SourceRow(s)
	if err != nil {
		return made, aboutSource(s.ID, err)
	}
	err = r.write(ctx, func(tx *sql.Tx) error {
		made, err = once(ctx, tx, "sources", s.Tenant, c, func() error { return createSource(ctx, tx, s, row) })
		return err
	})
	return made, aboutSource(s.ID, err)
}

// Created says whether an Idempotency-Key has made something that is remembered at the creation's time.
func (r *Registry) Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error) {
	var digest, id string
	var at int64
	err := r.db.QueryRowContext(ctx, selectCreation, tenant, c.Name, c.At.UnixMicro()).Scan(&digest, &id, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, about(c.ID, err)
}

// once makes what has not been made, and remembers it.
func once(ctx context.Context, tx *sql.Tx, of, tenant string, c webhook.Creation, create func() error) (webhook.Creation, error) {
	if err := lock(ctx, tx, of, tenant); err != nil { // or two could both be the first; creating takes the same one
		return c, err
	}
	made, at := c, int64(0)
	err := tx.QueryRowContext(ctx, selectCreation, tenant, c.Name, c.At.UnixMicro()).Scan(&made.Digest, &made.ID, &at)
	if !errors.Is(err, sql.ErrNoRows) {
		made.At = registry.Time(at)
		return made, err
	}
	if err := create(); err != nil {
		return c, err
	}
	if _, err := tx.ExecContext(ctx, sweepCreations, c.At.UnixMicro()); err != nil {
		return c, err
	}
	_, err = tx.ExecContext(ctx, upsertCreation, tenant, c.Name, c.Digest, c.ID, c.At.UnixMicro(), c.Ends().UnixMicro())
	return c, err
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"hookloop/internal/webhook"
)

const (
	selectCreation = `SELECT digest, id, created_at FROM creations WHERE tenant = $1 AND name = $2 AND expires_at > $3`
	upsertCreation = `INSERT INTO creations (tenant, name, digest, id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, name) DO UPDATE SET
		(digest, id, created_at, expires_at) = (excluded.digest, excluded.id, excluded.created_at, excluded.expires_at)`
)

var expiredCreations = Rows{Table: "creations", Key: "tenant, name", Where: "expires_at <= $1", Order: "expires_at", Limit: "10"}

// Created says whether an Idempotency-Key has made something that is remembered at the creation's
// time.
func (s *Store) Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error) {
	_, err := readCreation(s.readers.QueryRowContext(ctx, selectCreation, tenant, c.Name, c.At.UnixMicro()), c)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, s.endpoints.about(ctx, c.ID, err)
}

// readCreation reads what is remembered by the name of c.
func readCreation(r row, c webhook.Creation) (webhook.Creation, error) {
	err := r.Scan(&c.Digest, &c.ID, micros{&c.At})
	return c, err
}

// once makes what has not been made, and remembers it. The caller has locked the tenant's.
func (s *Store) once(ctx context.Context, tx *sql.Tx, tenant string, c webhook.Creation, create func() error) (webhook.Creation, error) {
	made, err := readCreation(tx.QueryRowContext(ctx, selectCreation, tenant, c.Name, c.At.UnixMicro()), c)
	if !errors.Is(err, sql.ErrNoRows) {
		return made, err
	}
	if err := create(); err != nil {
		return c, err
	}
	if _, err := tx.ExecContext(ctx, s.statements.deleteCreations, c.At.UnixMicro()); err != nil {
		return c, err
	}
	_, err = tx.ExecContext(ctx, upsertCreation, tenant, c.Name, c.Digest, c.ID, c.At.UnixMicro(), c.Ends().UnixMicro())
	return c, err
}

package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"hash/fnv"
)

// write does something in a transaction. Each statement of it sees what others have committed before
// it began, so what must not change between two of them is locked: a row by FOR UPDATE, what is no row
// yet by lock.
func (r *Registry) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit there is nothing to undo

	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// lock makes transactions that name the same thing take turns, from here until each ends. A
// transaction takes at most one of these locks, before anything else: so they cannot wait for each
// other in a circle.
func lock(ctx context.Context, tx *sql.Tx, name ...string) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lockID(name...))
	return err
}

// lockID is the number by which the server knows a lock. Two things that share one by chance only wait
// for each other needlessly.
func lockID(name ...string) int64 {
	h := fnv.New64a()
	for _, part := range name {
		_, _ = h.Write([]byte(part)) // a hash does not fail
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64())
}

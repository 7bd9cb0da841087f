package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"hookloop/internal/attemptlog"
)

// gapTaken is for how long a gap that one process mends is left alone by the others.
const gapTaken = 10 * time.Minute

// CloseGap forgets a gap.
func (s *Store) CloseGap(ctx context.Context, id string) error {
	_, err := s.writer.ExecContext(ctx, deleteGap, id)
	return s.aboutAttempts(ctx, err)
}

// TakeGap gives a gap whose end is known, or that was last noted before silent, the oldest first.
func (s *Store) TakeGap(ctx context.Context, silent, now time.Time) (g attemptlog.Gap, err error) {
	err = s.writer.QueryRowContext(ctx, takeGap, now.UnixMicro(), now.Add(-gapTaken).UnixMicro(), silent.UnixMicro()).
		Scan(&g.ID, micros{&g.From}, microsOrZero{&g.To})
	if errors.Is(err, sql.ErrNoRows) {
		return attemptlog.Gap{}, nil
	}
	return g, s.aboutAttempts(ctx, err)
}

// PruneAttempts deletes at most a thousand attempts, and as many counts of each kind.
func (s *Store) PruneAttempts(ctx context.Context, k attemptlog.Keep, now time.Time) (more bool, err error) {
	var deleted int64
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := s.dialect.Lock(ctx, tx, "attempt log"); err != nil {
			return err
		}
		deleted, err = s.pruneAttempts(ctx, tx, k, now)
		return err
	})
	if err != nil {
		return false, s.aboutAttempts(ctx, err)
	}
	for _, of := range []struct{ span, age time.Duration }{{attemptlog.Minute, attemptlog.KeepMinutes}, {attemptlog.Hour, k.Age}} {
		n, err := affected(s.writer.ExecContext(ctx, s.statements.deleteCounts, seconds(of.span), now.Add(-of.age).Truncate(of.span).UnixMicro()))
		if err != nil {
			return false, s.aboutAttempts(ctx, err)
		}
		deleted = max(deleted, n)
	}
	if deleted < attemptlog.PruneBatch { // the last of them
		_, err = s.writer.ExecContext(ctx, deleteStrayLatest)
	}
	return deleted >= attemptlog.PruneBatch, s.aboutAttempts(ctx, err)
}

// pruneAttempts deletes what is too old, or else what is too much.
func (s *Store) pruneAttempts(ctx context.Context, tx *sql.Tx, k attemptlog.Keep, now time.Time) (n int64, err error) {
	var size int64
	if err := tx.QueryRowContext(ctx, selectLogSize).Scan(&size); err != nil {
		return 0, err
	}
	n, err = affected(tx.ExecContext(ctx, s.statements.deleteAttempts, now.Add(-k.Age).UnixMicro(), attemptlog.PruneBatch))
	if over := size - n - k.Rows; err == nil && n < attemptlog.PruneBatch && over > 0 {
		var m int64
		m, err = affected(tx.ExecContext(ctx, s.statements.deleteAttempts, int64(math.MaxInt64), min(over, attemptlog.PruneBatch)))
		n += m
	}
	if err != nil || n == 0 {
		return n, err
	}
	_, err = tx.ExecContext(ctx, resizeLog, -n)
	return n, err
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/echo"
)

// Store keeps echoes for a Tracker.
var _ echo.Store = (*Store)(nil)

// What has expired is deleted by the way: one write in deleteEvery deletes more of it than as many
// writes can have added, and one in countEvery does the same to what its tenant has beyond
// echo.MaxWrites. Queries do not depend on it: they look at the time themselves.
const (
	deleteEvery = 64
	countEvery  = 4096
)

func expiredEchoes(table, key string) Rows {
	return Rows{Table: table, Key: key, Where: "expires_at <= $1", Order: "expires_at", Limit: "1000"}
}

// Remember notes a write before it leaves. The same delivery may note it again.
func (s *Store) Remember(ctx context.Context, w echo.Write, now time.Time) error {
	return s.withObject(ctx, w.Value, now, func(o *object) error {
		if w.Order == 0 {
			var err error
			if w.Order, err = o.next(ctx); err != nil {
				return err
			}
		}
		_, err := o.tx.ExecContext(ctx, upsertWrite, w.Tenant, w.Application, []byte(w.Key), w.Hash,
			w.EventID, w.EndpointID, w.Order, int(o.KindOf(w)), now.UnixMicro(), now.Add(o.TTL(w)).UnixMicro())
		if err != nil {
			return err
		}
		o.RecordWrite(w)
		return o.save(ctx)
	})
}

// Settle says until when a write counts whose attempt has not arrived for certain. It counts no
// shorter than before that attempt.
func (s *Store) Settle(ctx context.Context, w echo.Write, until time.Time) error {
	_, err := s.writer.ExecContext(ctx, settleWrite, until.UnixMicro(), w.Tenant, w.Application, []byte(w.Key), w.Hash, w.EventID, w.EndpointID)
	return s.aboutEchoes(ctx, err)
}

// Rule says whether a report is the echo of a write, which it takes off the store, or a change,
// which it gives its place. The latest report of an object gets the same answer again.
func (s *Store) Rule(ctx context.Context, r echo.Report, now time.Time) (ruling echo.Ruling, err error) {
	err = s.withObject(ctx, r.Value, now, func(o *object) error {
		ruling, err = o.rule(ctx, r)
		return err
	})
	return ruling, err
}

// Change makes a change of a report, even if it is the echo of a write.
func (s *Store) Change(ctx context.Context, r echo.Report, now time.Time) (ruling echo.Ruling, err error) {
	err = s.withObject(ctx, r.Value, now, func(o *object) error {
		ruling, err = o.change(ctx, r)
		return err
	})
	return ruling, err
}

// BindOnce binds a name of a source to the content it is first seen with, and answers the content
// it is bound to.
func (s *Store) BindOnce(ctx context.Context, sourceID, name, content string, until, now time.Time) (bound string, err error) {
	digest := sha256.Sum256([]byte(name))
	if err = s.deleteExpired(ctx, "", now); err == nil {
		err = s.writer.QueryRowContext(ctx, upsertBinding, sourceID, digest[:], content, until.UnixMicro(), now.UnixMicro()).Scan(&bound)
	}
	return bound, s.aboutEchoes(ctx, err)
}

// Withheld gives the ids of the application's endpoints that do not want its own events back.
func (s *Store) Withheld(ctx context.Context, tenant, application string) ([]string, error) {
	rows, err := s.readers.QueryContext(ctx, selectWithheld, tenant, application)
	ids, err := list(rows, err, readID)
	return ids, s.endpoints.ofTenant(ctx, tenant, err)
}

// withObject does something to what is known of an object. It has the object to itself meanwhile.
func (s *Store) withObject(ctx context.Context, of echo.Value, now time.Time, do func(*object) error) error {
	err := s.deleteExpired(ctx, of.Tenant, now)
	if err == nil {
		err = s.write(ctx, func(tx *sql.Tx) error {
			if err := s.dialect.Lock(ctx, tx, "echo", of.Tenant, of.Application, of.Key); err != nil {
				return err
			}
			o := &object{tx: tx, store: s, of: of, now: now}
			if err := o.read(ctx); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			return do(o)
		})
	}
	return s.aboutEchoes(ctx, err)
}

// deleteExpired runs outside of transactions and waits for no other: it deletes what is known of
// other objects, and must not hold that locked while it waits itself.
func (s *Store) deleteExpired(ctx context.Context, tenant string, now time.Time) error {
	n := s.writes.Add(1)
	if n%deleteEvery != 1 {
		return nil
	}
	for _, text := range []string{s.statements.deleteWrites, s.statements.deleteObjects, s.statements.deleteBindings} {
		if _, err := s.writer.ExecContext(ctx, text, now.UnixMicro()); err != nil {
			return err
		}
	}
	if tenant == "" || n%countEvery != 1 {
		return nil
	}
	_, err := s.writer.ExecContext(ctx, s.statements.deleteOutdated, tenant, s.maxWrites)
	return err
}

// DeleteExpiredNext lets the next write delete what has expired. Keep bounds a tenant's writes.
// Both are for tests, which cannot wait for thousands of writes.
func (s *Store) DeleteExpiredNext(keep int) {
	s.writes.Store(0)
	s.maxWrites = keep
}

func (s *Store) aboutEchoes(ctx context.Context, err error) error {
	return s.explain(ctx, "echoes", err)
}

package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	// nextOrder is asked by whoever holds the lock of an object: its changes get their places in the order
	// of their turns, and a place given later, anywhere, is a later one. Tenants share the numbers and do not
	// wait for each other: a sequence locks nothing.
	nextOrder = `SELECT nextval('ledger_order')`

	selectObject = `SELECT hash, event_id, echo_of, n, latest, latest_event FROM ledger_objects
		WHERE tenant = $1 AND application = $2 AND key = $3 AND expires_at > $4`
	upsertObject = `INSERT INTO ledger_objects
		(tenant, application, key, hash, event_id, echo_of, n, latest, latest_event, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant, application, key) DO UPDATE SET
		(hash, event_id, echo_of, n, latest, latest_event, expires_at) =
		(excluded.hash, excluded.event_id, excluded.echo_of, excluded.n, excluded.latest, excluded.latest_event, excluded.expires_at)`

	// A delivery that is repeated keeps the place its change has, unless it was forgotten meanwhile.
	upsertWrite = `INSERT INTO ledger_writes AS was (tenant, application, key, hash, event_id, endpoint_id, n, idle, noted_at, expires_at, counts_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
		ON CONFLICT (tenant, application, key, hash, event_id, endpoint_id) DO UPDATE SET
		n = CASE WHEN was.expires_at > excluded.noted_at THEN was.n ELSE excluded.n END,
		(idle, noted_at, expires_at, counts_until, counted_until) =
		(excluded.idle, excluded.noted_at, excluded.expires_at, excluded.counts_until, was.counts_until)`
	settleWrite = `UPDATE ledger_writes SET counts_until = greatest(counted_until, $1)
		WHERE tenant = $2 AND application = $3 AND key = $4 AND hash = $5 AND event_id = $6 AND endpoint_id = $7`
	// takeWrite takes the oldest write of a value off the ledger: an application mostly reports in the order
	// in which it was told. One that changed nothing comes last, for its report may be none.
	takeWrite = `DELETE FROM ledger_writes WHERE (tenant, application, key, hash, event_id, endpoint_id) =
		(SELECT tenant, application, key, hash, event_id, endpoint_id FROM ledger_writes
		WHERE tenant = $1 AND application = $2 AND key = $3 AND hash = $4 AND coalesce(counts_until, expires_at) > $5 ORDER BY idle = 1, n LIMIT 1)
		RETURNING event_id, n, idle, noted_at`
	// Writes that will not be reported any more: of an application that has changed the object itself, and
	// of one that has reported a later write.
	deleteIdle    = `DELETE FROM ledger_writes WHERE tenant = $1 AND application = $2 AND key = $3 AND (idle <> 0 OR noted_at < $4)`
	deletePassed  = `DELETE FROM ledger_writes WHERE tenant = $1 AND application = $2 AND key = $3 AND n < $4 AND noted_at < $5`
	isStillToCome = `SELECT EXISTS (SELECT FROM ledger_writes
		WHERE tenant = $1 AND application = $2 AND key = $3 AND n >= $4 AND idle = 0 AND expires_at > $5)`
	selectWithheld = `SELECT id FROM endpoints WHERE tenant = $1 AND application = $2 AND application <> '' AND NOT echo_back ORDER BY id`

	// upsertClaim leaves a name with the content it has, and always answers that.
	upsertClaim = `INSERT INTO claims AS was (source_id, name, content, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (source_id, name) DO UPDATE SET
		content = CASE WHEN was.expires_at > $5 THEN was.content ELSE excluded.content END,
		expires_at = CASE WHEN was.expires_at > $5 THEN was.expires_at ELSE excluded.expires_at END
		RETURNING content`
)

// The ledger is kept small by whoever writes to it: each write in sweepEvery takes along more of what
// has expired, and each in countEvery of what its tenant has beyond registry.MaxLedger, than as many writes
// can have added. Nothing else depends on it: queries look at the time themselves.
const (
	sweepEvery = 64
	countEvery = 4096
)

const (
	sweepWrites = `DELETE FROM ledger_writes WHERE ctid = ANY (ARRAY (SELECT ctid FROM ledger_writes
		WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))`
	sweepObjects = `DELETE FROM ledger_objects WHERE ctid = ANY (ARRAY (SELECT ctid FROM ledger_objects
		WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))`
	sweepClaims = `DELETE FROM claims WHERE ctid = ANY (ARRAY (SELECT ctid FROM claims
		WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))`
	sweepPassed = `DELETE FROM ledger_writes WHERE ctid = ANY (ARRAY (SELECT ctid FROM ledger_writes
		WHERE tenant = $1 AND n <= (SELECT n FROM ledger_writes WHERE tenant = $1 ORDER BY n DESC OFFSET $2 LIMIT 1)
		ORDER BY n LIMIT 10000 FOR UPDATE SKIP LOCKED))`
)

// Remember notes a write before it leaves. The same delivery may note it again.
func (r *Registry) Remember(ctx context.Context, w webhook.Write, now time.Time) error {
	return r.ledger(ctx, w.Mark, now, func(tx *sql.Tx) error {
		o, err := object(ctx, tx, w.Mark, now)
		if err != nil {
			return err
		}
		if w.Order == 0 {
			if err := tx.QueryRowContext(ctx, nextOrder).Scan(&w.Order); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, upsertWrite, w.Tenant, w.Application, []byte(w.Key), w.Hash,
			w.EventID, w.EndpointID, w.Order, o.Idle(w), now.UnixMicro(), now.Add(o.TTL(w)).UnixMicro())
		if err != nil {
			return err
		}
		o.Told(w)
		return o.save(ctx, tx, w.Mark, now)
	})
}

// Settle says until when a write counts whose attempt has not arrived for certain; it counts no shorter than
// before that attempt.
func (r *Registry) Settle(ctx context.Context, w webhook.Write, until time.Time) error {
	_, err := r.db.ExecContext(ctx, settleWrite, until.UnixMicro(), w.Tenant, w.Application, []byte(w.Key), w.Hash, w.EventID, w.EndpointID)
	if err != nil {
		return fmt.Errorf("ledger: %w", explain(err))
	}
	return nil
}

// Rule says whether a report is the echo of a write, which it takes off the ledger, or a change, which
// it gives its place. The latest report of an object gets the same answer again.
func (r *Registry) Rule(ctx context.Context, p webhook.Report, now time.Time) (ruling webhook.Ruling, err error) {
	err = r.ledger(ctx, p.Mark, now, func(tx *sql.Tx) error {
		o, err := object(ctx, tx, p.Mark, now)
		if err != nil {
			return err
		}
		if o.EventID != p.EventID {
			w, err := take(ctx, tx, p, now)
			if errors.Is(err, sql.ErrNoRows) {
				ruling, err = o.change(ctx, tx, p, now)
				return err
			}
			if err != nil {
				return err
			}
			if w.idle == registry.IdleWrite {
				ruling, err = o.change(ctx, tx, p, now)
				ruling.Unsure = true
				return err
			}
			o.Echoed(p, w.eventID, w.n)
			if err := o.save(ctx, tx, p.Mark, now); err != nil {
				return err
			}
		}
		ruling, err = o.ruling(ctx, tx, p.Mark, now)
		return err
	})
	return ruling, err
}

// Change makes a change of a report, whatever was written.
func (r *Registry) Change(ctx context.Context, p webhook.Report, now time.Time) (ruling webhook.Ruling, err error) {
	err = r.ledger(ctx, p.Mark, now, func(tx *sql.Tx) error {
		o, err := object(ctx, tx, p.Mark, now)
		if err != nil {
			return err
		}
		ruling, err = o.change(ctx, tx, p, now)
		return err
	})
	return ruling, err
}

// Claim binds a name of a source to the content it is first seen with, and answers the content it is
// bound to.
func (r *Registry) Claim(ctx context.Context, sourceID, name, content string, until, now time.Time) (bound string, err error) {
	digest := sha256.Sum256([]byte(name))
	if err = r.sweep(ctx, "", now); err == nil {
		err = r.db.QueryRowContext(ctx, upsertClaim, sourceID, digest[:], content, until.UnixMicro(), now.UnixMicro()).Scan(&bound)
	}
	if err != nil {
		return "", fmt.Errorf("ledger: %w", explain(err))
	}
	return bound, nil
}

// Withheld gives the ids of the application's endpoints that do not want its own events back.
func (r *Registry) Withheld(ctx context.Context, tenant, application string) ([]string, error) {
	return r.ids(ctx, selectWithheld, tenant, application)
}

// ledger does something in a transaction, to the marks of an object that nobody else touches meanwhile.
func (r *Registry) ledger(ctx context.Context, m webhook.Mark, now time.Time, do func(*sql.Tx) error) error {
	err := r.sweep(ctx, m.Tenant, now)
	if err == nil {
		err = r.write(ctx, func(tx *sql.Tx) error {
			if err := lock(ctx, tx, "ledger", m.Tenant, m.Application, m.Key); err != nil {
				return err
			}
			return do(tx)
		})
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", explain(err))
	}
	return nil
}

// sweep runs outside of transactions and waits for nobody: it deletes other objects' marks, and must
// not hold them locked while it waits for something that whoever wants them holds.
func (r *Registry) sweep(ctx context.Context, tenant string, now time.Time) error {
	n := r.writes.Add(1)
	if n%sweepEvery != 1 {
		return nil
	}
	for _, query := range []string{sweepWrites, sweepObjects, sweepClaims} {
		if _, err := r.db.ExecContext(ctx, query, now.UnixMicro()); err != nil {
			return err
		}
	}
	if tenant == "" || n%countEvery != 1 {
		return nil
	}
	_, err := r.db.ExecContext(ctx, sweepPassed, tenant, r.maxLedger)
	return err
}

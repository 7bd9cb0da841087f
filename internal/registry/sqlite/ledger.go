package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	nextOrder = `INSERT INTO ledger_orders (tenant, n) VALUES (?, (SELECT n FROM ledger_order) + 1)
		ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n`

	selectObject = `SELECT hash, event_id, echo_of, n, latest, latest_event FROM ledger_objects
		WHERE tenant = ? AND application = ? AND key = ? AND expires_at > ?`
	upsertObject = `INSERT OR REPLACE INTO ledger_objects
		(tenant, application, key, hash, event_id, echo_of, n, latest, latest_event, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	// A delivery that is repeated keeps the place its change has.
	upsertWrite = `INSERT INTO ledger_writes (tenant, application, key, hash, event_id, endpoint_id, n, idle, noted_at, expires_at, counts_until)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) ON CONFLICT DO UPDATE SET
		(idle, noted_at, expires_at, counts_until, counted_until) =
		(excluded.idle, excluded.noted_at, excluded.expires_at, excluded.counts_until, ledger_writes.counts_until)`
	settleWrite = `UPDATE ledger_writes SET counts_until = max(coalesce(counted_until, 0), ?)
		WHERE tenant = ? AND application = ? AND key = ? AND hash = ? AND event_id = ? AND endpoint_id = ?`
	// selectWrite finds the oldest write of a value: an application mostly reports in the order in which it
	// was told. One that changed nothing comes last, for its report may be none.
	selectWrite = `SELECT event_id, endpoint_id, n, idle, noted_at FROM ledger_writes
		WHERE tenant = ? AND application = ? AND key = ? AND hash = ? AND coalesce(counts_until, expires_at) > ? ORDER BY idle = 1, n LIMIT 1`
	deleteWrite = `DELETE FROM ledger_writes WHERE tenant = ? AND application = ? AND key = ? AND hash = ? AND event_id = ? AND endpoint_id = ?`
	// Writes that will not be reported any more: of an application that has changed the object itself, and
	// of one that has reported a later write.
	deleteIdle     = `DELETE FROM ledger_writes WHERE tenant = ? AND application = ? AND key = ? AND (idle <> 0 OR noted_at < ?)`
	deletePassed   = `DELETE FROM ledger_writes WHERE tenant = ? AND application = ? AND key = ? AND n < ? AND noted_at < ?`
	isStillToCome  = `SELECT EXISTS (SELECT 1 FROM ledger_writes WHERE tenant = ? AND application = ? AND key = ? AND n >= ? AND idle = 0 AND expires_at > ?)`
	selectWithheld = `SELECT id FROM endpoints WHERE tenant = ? AND application = ? AND application <> '' AND echo_back = 0 ORDER BY id`

	insertClaim = `INSERT INTO claims (source_id, name, content, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	selectClaim = `SELECT content FROM claims WHERE source_id = ? AND name = ?`
)

// The ledger is kept small by whoever writes to it: each write takes some of what has expired along, and
// of what lies more than registry.MaxLedger changes of its tenant back.
var expire = []string{
	`DELETE FROM ledger_writes WHERE (tenant, application, key, hash, event_id, endpoint_id) IN
		(SELECT tenant, application, key, hash, event_id, endpoint_id FROM ledger_writes WHERE expires_at <= ? LIMIT 100)`,
	`DELETE FROM ledger_objects WHERE (tenant, application, key) IN
		(SELECT tenant, application, key FROM ledger_objects WHERE expires_at <= ? LIMIT 100)`,
	`DELETE FROM claims WHERE (source_id, name) IN (SELECT source_id, name FROM claims WHERE expires_at <= ? LIMIT 100)`,
}

const expirePassed = `DELETE FROM ledger_writes WHERE (tenant, application, key, hash, event_id, endpoint_id) IN
	(SELECT tenant, application, key, hash, event_id, endpoint_id FROM ledger_writes
	WHERE tenant = ?1 AND n < (SELECT n FROM ledger_orders WHERE tenant = ?1) - ?2 LIMIT 100)`

// Remember notes a write before it leaves. The same delivery may note it again.
func (r *Registry) Remember(ctx context.Context, w webhook.Write, now time.Time) error {
	return r.ledger(ctx, w.Tenant, now, func(tx *sql.Tx) error {
		o, err := object(ctx, tx, w.Mark, now)
		if err != nil {
			return err
		}
		if w.Order == 0 {
			if err := tx.QueryRowContext(ctx, nextOrder, w.Tenant).Scan(&w.Order); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, upsertWrite, w.Tenant, w.Application, w.Key, w.Hash,
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
	err := r.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, settleWrite, until.UnixMicro(), w.Tenant, w.Application, w.Key, w.Hash, w.EventID, w.EndpointID)
		return err
	})
	if err != nil {
		return fmt.Errorf("ledger: %w", explain(cmp.Or(ctx.Err(), err)))
	}
	return nil
}

// Rule says whether a report is the echo of a write, which it takes off the ledger, or a change, which
// it gives its place. The latest report of an object gets the same answer again.
func (r *Registry) Rule(ctx context.Context, p webhook.Report, now time.Time) (ruling webhook.Ruling, err error) {
	err = r.ledger(ctx, p.Tenant, now, func(tx *sql.Tx) error {
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
	err = r.ledger(ctx, p.Tenant, now, func(tx *sql.Tx) error {
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
	err = r.ledger(ctx, "", now, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, insertClaim, sourceID, name, content, until.UnixMicro()); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, selectClaim, sourceID, name).Scan(&bound)
	})
	return bound, err
}

// Withheld gives the ids of the application's endpoints that do not want its own events back.
func (r *Registry) Withheld(ctx context.Context, tenant, application string) ([]string, error) {
	rows, err := r.readers.QueryContext(ctx, selectWithheld, tenant, application)
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

// ledger does something in a transaction, after it has forgotten some of what is too old.
func (r *Registry) ledger(ctx context.Context, tenant string, now time.Time, do func(*sql.Tx) error) error {
	err := r.write(ctx, func(tx *sql.Tx) error {
		for _, query := range expire {
			if _, err := tx.ExecContext(ctx, query, now.UnixMicro()); err != nil {
				return err
			}
		}
		if tenant != "" {
			if _, err := tx.ExecContext(ctx, expirePassed, tenant, registry.MaxLedger); err != nil {
				return err
			}
		}
		return do(tx)
	})
	if err != nil {
		return fmt.Errorf("ledger: %w", explain(cmp.Or(ctx.Err(), err)))
	}
	return nil
}

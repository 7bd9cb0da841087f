package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectWithheld = `SELECT id FROM endpoints WHERE tenant = ? AND application = ? AND application <> '' AND echo_back = 0 ORDER BY id`
	nextOrder      = `UPDATE ledger_order SET n = n + 1 RETURNING n`

	// A delivery that is repeated keeps the place its change has.
	upsertWrite = `INSERT INTO ledger_writes (tenant, application, key, hash, event_id, endpoint_id, n, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at`
	selectSeen = `SELECT n, event_id, echo_of FROM ledger_seen WHERE tenant = ? AND application = ? AND key = ? AND expires_at > ?`
	// selectWrite finds the oldest write of a value that the application has not passed since: it tells
	// us of what we wrote in the order in which it took it.
	selectWrite = `SELECT n, event_id, endpoint_id FROM ledger_writes
		WHERE tenant = ? AND application = ? AND key = ? AND hash = ? AND n >= ? AND expires_at > ? ORDER BY n LIMIT 1`
	deleteWrite = `DELETE FROM ledger_writes WHERE tenant = ? AND application = ? AND key = ? AND hash = ? AND event_id = ? AND endpoint_id = ?`
	upsertSeen  = `INSERT INTO ledger_seen (tenant, application, key, n, event_id, echo_of, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET (n, event_id, echo_of, expires_at) = (excluded.n, excluded.event_id, excluded.echo_of, excluded.expires_at)`

	insertClaim = `INSERT INTO claims (source_id, name, content, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	selectClaim = `SELECT content FROM claims WHERE source_id = ? AND name = ?`
)

// The ledger is kept small by whoever writes to it: each write takes some of what has expired along, and
// of what lies more than registry.MaxLedger changes back.
var expire = []string{
	`DELETE FROM ledger_writes WHERE (tenant, application, key, hash, event_id, endpoint_id) IN
		(SELECT tenant, application, key, hash, event_id, endpoint_id FROM ledger_writes WHERE expires_at <= ? LIMIT 100)`,
	`DELETE FROM ledger_writes WHERE (tenant, application, key, hash, event_id, endpoint_id) IN
		(SELECT tenant, application, key, hash, event_id, endpoint_id FROM ledger_writes
		WHERE n < (SELECT n FROM ledger_order) - ` + strconv.Itoa(registry.MaxLedger) + ` LIMIT 100)`,
	`DELETE FROM ledger_seen WHERE (tenant, application, key) IN
		(SELECT tenant, application, key FROM ledger_seen WHERE expires_at <= ? LIMIT 100)`,
	`DELETE FROM claims WHERE (source_id, name) IN (SELECT source_id, name FROM claims WHERE expires_at <= ? LIMIT 100)`,
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

// Remember notes a write before it leaves. The same delivery may note it again.
func (r *Registry) Remember(ctx context.Context, w webhook.Write, now time.Time) error {
	return ledger(r.write(ctx, func(tx *sql.Tx) error {
		if err := forget(ctx, tx, now); err != nil {
			return err
		}
		if w.Order == 0 {
			if err := tx.QueryRowContext(ctx, nextOrder).Scan(&w.Order); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, upsertWrite, w.Tenant, w.Application, w.Key, w.Hash,
			w.EventID, w.EndpointID, w.Order, now.Add(webhook.EchoTTL).UnixMicro())
		return err
	}))
}

// Rule says whether a report is the echo of a write, which it takes off the ledger, or a change, which
// it gives its place. The latest report of an object gets the same answer again.
func (r *Registry) Rule(ctx context.Context, p webhook.Report, now time.Time) (ruling webhook.Ruling, err error) {
	err = ledger(r.write(ctx, func(tx *sql.Tx) error {
		if err := forget(ctx, tx, now); err != nil {
			return err
		}
		ruling, err = rule(ctx, tx, p, now)
		return err
	}))
	return ruling, err
}

func rule(ctx context.Context, tx *sql.Tx, p webhook.Report, now time.Time) (ruling webhook.Ruling, err error) {
	var seen int64
	var eventID, echoOf string
	err = tx.QueryRowContext(ctx, selectSeen, p.Tenant, p.Application, p.Key, now.UnixMicro()).Scan(&seen, &eventID, &echoOf)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return ruling, err
	}
	if err == nil && eventID == p.EventID {
		return webhook.Ruling{EchoOf: echoOf, Order: seen}, nil
	}
	if ruling, err = take(ctx, tx, p, seen, now); errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, nextOrder).Scan(&ruling.Order)
	}
	if err != nil {
		return ruling, err
	}
	_, err = tx.ExecContext(ctx, upsertSeen, p.Tenant, p.Application, p.Key,
		ruling.Order, p.EventID, ruling.EchoOf, now.Add(webhook.SeenTTL).UnixMicro())
	return ruling, err
}

// take finds the write that a report echoes, and takes it off the ledger. It answers sql.ErrNoRows if
// there is none.
func take(ctx context.Context, tx *sql.Tx, p webhook.Report, seen int64, now time.Time) (ruling webhook.Ruling, err error) {
	var endpointID string
	err = tx.QueryRowContext(ctx, selectWrite, p.Tenant, p.Application, p.Key, p.Hash, seen, now.UnixMicro()).
		Scan(&ruling.Order, &ruling.EchoOf, &endpointID)
	if err != nil {
		return ruling, err
	}
	_, err = tx.ExecContext(ctx, deleteWrite, p.Tenant, p.Application, p.Key, p.Hash, ruling.EchoOf, endpointID)
	return ruling, err
}

// Claim binds a name of a source to the content it is first seen with, and answers the content it is
// bound to.
func (r *Registry) Claim(ctx context.Context, sourceID, name, content string, until, now time.Time) (bound string, err error) {
	err = ledger(r.write(ctx, func(tx *sql.Tx) error {
		if err := forget(ctx, tx, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertClaim, sourceID, name, content, until.UnixMicro()); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, selectClaim, sourceID, name).Scan(&bound)
	}))
	return bound, err
}

func forget(ctx context.Context, tx *sql.Tx, now time.Time) error {
	for _, query := range expire {
		if _, err := tx.ExecContext(ctx, query, now.UnixMicro()); err != nil { // the second has no use for it
			return err
		}
	}
	return nil
}

func ledger(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ledger: %w", explain(err))
}

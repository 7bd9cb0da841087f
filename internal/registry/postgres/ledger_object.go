package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// ledgerObject is an object as this store keeps it.
type ledgerObject struct{ registry.Object }

func object(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) (o ledgerObject, err error) {
	err = tx.QueryRowContext(ctx, selectObject, m.Tenant, m.Application, []byte(m.Key), now.UnixMicro()).
		Scan(&o.Hash, &o.EventID, &o.EchoOf, &o.N, &o.Latest, &o.LatestEvent)
	if errors.Is(err, sql.ErrNoRows) {
		return ledgerObject{}, nil
	}
	return o, err
}

func (o *ledgerObject) save(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) error {
	_, err := tx.ExecContext(ctx, upsertObject, m.Tenant, m.Application, []byte(m.Key),
		o.Hash, o.EventID, o.EchoOf, o.N, o.Latest, o.LatestEvent, now.Add(webhook.ObjectTTL).UnixMicro())
	return err
}

// change is a report of something that nobody wrote.
func (o *ledgerObject) change(ctx context.Context, tx *sql.Tx, p webhook.Report, now time.Time) (webhook.Ruling, error) {
	var n int64
	if err := tx.QueryRowContext(ctx, nextOrder).Scan(&n); err != nil {
		return webhook.Ruling{}, err
	}
	ruling := o.Changed(p, n)
	before := now.Add(-webhook.ReportLag).UnixMicro()
	if _, err := tx.ExecContext(ctx, deleteIdle, p.Tenant, p.Application, []byte(p.Key), before); err != nil {
		return webhook.Ruling{}, err
	}
	return ruling, o.save(ctx, tx, p.Mark, now)
}

// ruling tells of the latest report, and of the change that the application has lost by it: one that is
// still to come is not lost.
func (o *ledgerObject) ruling(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) (webhook.Ruling, error) {
	r, behind := o.Ruling()
	if !behind {
		return r, nil
	}
	var comes bool
	err := tx.QueryRowContext(ctx, isStillToCome, m.Tenant, m.Application, []byte(m.Key), o.Latest, now.UnixMicro()).Scan(&comes)
	if err == nil && !comes {
		r.Newer, r.Latest = o.LatestEvent, o.Latest
	}
	return r, err
}

// written is a write that a report echoes.
type written struct {
	eventID    string
	n, notedAt int64
	idle       int
}

// take finds the write that a report echoes, and takes it off the ledger with those that were over before
// it began. It answers sql.ErrNoRows if there is none.
func take(ctx context.Context, tx *sql.Tx, p webhook.Report, now time.Time) (w written, err error) {
	key := []byte(p.Key)
	err = tx.QueryRowContext(ctx, takeWrite, p.Tenant, p.Application, key, p.Hash, now.UnixMicro()).
		Scan(&w.eventID, &w.n, &w.idle, &w.notedAt)
	if err != nil {
		return w, err
	}
	before := w.notedAt - webhook.AttemptLag.Microseconds()
	_, err = tx.ExecContext(ctx, deletePassed, p.Tenant, p.Application, key, w.n, before)
	return w, err
}

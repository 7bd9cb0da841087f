package sqlite

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
	err = tx.QueryRowContext(ctx, selectObject, m.Tenant, m.Application, m.Key, now.UnixMicro()).
		Scan(&o.Hash, &o.EventID, &o.EchoOf, &o.N, &o.Latest, &o.LatestEvent)
	if errors.Is(err, sql.ErrNoRows) {
		return ledgerObject{}, nil
	}
	return o, err
}

func (o *ledgerObject) save(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) error {
	_, err := tx.ExecContext(ctx, upsertObject, m.Tenant, m.Application, m.Key,
		o.Hash, o.EventID, o.EchoOf, o.N, o.Latest, o.LatestEvent, now.Add(webhook.ObjectTTL).UnixMicro())
	return err
}

// change is a report of something that nobody wrote.
func (o *ledgerObject) change(ctx context.Context, tx *sql.Tx, p webhook.Report, now time.Time) (webhook.Ruling, error) {
	var n int64
	if err := tx.QueryRowContext(ctx, nextOrder, p.Tenant).Scan(&n); err != nil {
		return webhook.Ruling{}, err
	}
	ruling := o.Changed(p, n)
	if _, err := tx.ExecContext(ctx, deleteIdle, p.Tenant, p.Application, p.Key, now.Add(-webhook.ReportLag).UnixMicro()); err != nil {
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
	err := tx.QueryRowContext(ctx, isStillToCome, m.Tenant, m.Application, m.Key, o.Latest, now.UnixMicro()).Scan(&comes)
	if err == nil && !comes {
		r.Newer, r.Latest = o.LatestEvent, o.Latest
	}
	return r, err
}

// written is a write that a report echoes.
type written struct {
	eventID, endpointID string
	n, notedAt          int64
	idle                int
}

// take finds the write that a report echoes, and takes it off the ledger with those that were over before
// it began. It answers sql.ErrNoRows if there is none.
func take(ctx context.Context, tx *sql.Tx, p webhook.Report, now time.Time) (w written, err error) {
	err = tx.QueryRowContext(ctx, selectWrite, p.Tenant, p.Application, p.Key, p.Hash, now.UnixMicro()).
		Scan(&w.eventID, &w.endpointID, &w.n, &w.idle, &w.notedAt)
	if err != nil {
		return w, err
	}
	if _, err = tx.ExecContext(ctx, deleteWrite, p.Tenant, p.Application, p.Key, p.Hash, w.eventID, w.endpointID); err != nil {
		return w, err
	}
	before := w.notedAt - webhook.AttemptLag.Microseconds()
	_, err = tx.ExecContext(ctx, deletePassed, p.Tenant, p.Application, p.Key, w.n, before)
	return w, err
}

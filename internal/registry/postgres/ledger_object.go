package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/webhook"
)

// ledgerObject is what is known of an object in an application. The zero value knows nothing.
type ledgerObject struct {
	hash, eventID, echoOf string // what it last reported
	n                     int64
	latest                int64 // the latest change it was told of or made
	latestEvent           string
}

func object(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) (o ledgerObject, err error) {
	err = tx.QueryRowContext(ctx, selectObject, m.Tenant, m.Application, []byte(m.Key), now.UnixMicro()).
		Scan(&o.hash, &o.eventID, &o.echoOf, &o.n, &o.latest, &o.latestEvent)
	if errors.Is(err, sql.ErrNoRows) {
		return ledgerObject{}, nil
	}
	return o, err
}

func (o *ledgerObject) save(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) error {
	_, err := tx.ExecContext(ctx, upsertObject, m.Tenant, m.Application, []byte(m.Key),
		o.hash, o.eventID, o.echoOf, o.n, o.latest, o.latestEvent, now.Add(webhook.ObjectTTL).UnixMicro())
	return err
}

// What a write can be besides one that changes a value.
const (
	idleWrite   = 1 // of the value the application has: it may say so or not
	unsureWrite = 2 // likewise, and of a change that may be none: whatever is said of it is an echo
)

func (o *ledgerObject) idle(w webhook.Write) int {
	switch {
	case o.hash != w.Hash:
		return 0
	case w.Unsure, o.echoOf == w.EventID: // made again, that delivery is no news either
		return unsureWrite
	}
	return idleWrite
}

func (o *ledgerObject) ttl(w webhook.Write) time.Duration {
	if o.idle(w) != 0 {
		return webhook.ReportLag
	}
	return webhook.EchoTTL
}

// change is a report of something that nobody wrote.
func (o *ledgerObject) change(ctx context.Context, tx *sql.Tx, p webhook.Report, now time.Time) (webhook.Ruling, error) {
	if err := tx.QueryRowContext(ctx, nextOrder).Scan(&o.n); err != nil {
		return webhook.Ruling{}, err
	}
	o.hash, o.eventID, o.echoOf, o.latest, o.latestEvent = p.Hash, p.EventID, "", o.n, p.EventID
	before := now.Add(-webhook.ReportLag).UnixMicro()
	if _, err := tx.ExecContext(ctx, deleteIdle, p.Tenant, p.Application, []byte(p.Key), before); err != nil {
		return webhook.Ruling{}, err
	}
	return webhook.Ruling{Order: o.n}, o.save(ctx, tx, p.Mark, now)
}

// ruling tells of the latest report. If it is an echo, and a later change has come and gone before it,
// the application has lost that one; if that one is still to come, it has not.
func (o *ledgerObject) ruling(ctx context.Context, tx *sql.Tx, m webhook.Mark, now time.Time) (webhook.Ruling, error) {
	r := webhook.Ruling{EchoOf: o.echoOf, Order: o.n}
	if o.echoOf == "" || o.n >= o.latest {
		return r, nil
	}
	var comes bool
	err := tx.QueryRowContext(ctx, isStillToCome, m.Tenant, m.Application, []byte(m.Key), o.latest, now.UnixMicro()).Scan(&comes)
	if err == nil && !comes {
		r.Newer, r.Latest = o.latestEvent, o.latest
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

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/echo"
)

const (
	objectKey = "tenant, application, key"
	writeKey  = "tenant, application, key, hash, event_id, endpoint_id"

	selectObject = `SELECT hash, event_id, echo_of, n, latest, latest_event FROM echo_objects
		WHERE tenant = $1 AND application = $2 AND key = $3 AND expires_at > $4`
	upsertObject = `INSERT INTO echo_objects
		(tenant, application, key, hash, event_id, echo_of, n, latest, latest_event, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (` + objectKey + `) DO UPDATE SET
		(hash, event_id, echo_of, n, latest, latest_event, expires_at) =
		(excluded.hash, excluded.event_id, excluded.echo_of, excluded.n, excluded.latest, excluded.latest_event, excluded.expires_at)`

	// upsertWrite lets a delivery that is repeated keep the place its change has, unless that was
	// forgotten meanwhile.
	upsertWrite = `INSERT INTO echo_writes AS was (tenant, application, key, hash, event_id, endpoint_id, n, idle, noted_at, expires_at, counts_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) ON CONFLICT (` + writeKey + `) DO UPDATE SET
		n = CASE WHEN was.expires_at > excluded.noted_at THEN was.n ELSE excluded.n END,
		(idle, noted_at, expires_at, counts_until, counted_until) =
		(excluded.idle, excluded.noted_at, excluded.expires_at, excluded.counts_until, was.counts_until)`
	settleWrite = `UPDATE echo_writes SET counts_until = CASE WHEN counted_until > $1 THEN counted_until ELSE $1 END
		WHERE tenant = $2 AND application = $3 AND key = $4 AND hash = $5 AND event_id = $6 AND endpoint_id = $7`
	// takeWrite takes the oldest write of a value off: an application mostly reports in the order
	// in which it was written to. A write that changed nothing comes last, for its report may be
	// none.
	takeWrite = `DELETE FROM echo_writes WHERE (` + writeKey + `) = (SELECT ` + writeKey + ` FROM echo_writes
		WHERE tenant = $1 AND application = $2 AND key = $3 AND hash = $4 AND coalesce(counts_until, expires_at) > $5 ORDER BY idle = 1, n LIMIT 1)
		RETURNING event_id, n, idle, noted_at`
	// An application reports some writes no more: when it has changed the object itself, and when
	// it has reported a later write.
	deleteIdle   = `DELETE FROM echo_writes WHERE tenant = $1 AND application = $2 AND key = $3 AND (idle <> 0 OR noted_at < $4)`
	deletePassed = `DELETE FROM echo_writes WHERE tenant = $1 AND application = $2 AND key = $3 AND n < $4 AND noted_at < $5`
	isToCome     = `SELECT EXISTS (SELECT 1 FROM echo_writes
		WHERE tenant = $1 AND application = $2 AND key = $3 AND n >= $4 AND idle = 0 AND expires_at > $5)`

	selectWithheld = `SELECT id FROM endpoints WHERE tenant = $1 AND application = $2 AND application <> '' AND NOT echo_back ORDER BY id`

	// upsertBinding leaves a name with the content it has, and always answers that.
	upsertBinding = `INSERT INTO bindings AS was (source_id, name, content, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (source_id, name) DO UPDATE SET
		content = CASE WHEN was.expires_at > $5 THEN was.content ELSE excluded.content END,
		expires_at = CASE WHEN was.expires_at > $5 THEN was.expires_at ELSE excluded.expires_at END
		RETURNING content`
)

// object is what is known of an object, in the transaction that has it to itself.
type object struct {
	echo.Object

	tx    *sql.Tx
	store *Store
	of    echo.Value
	now   time.Time
}

func (o *object) read(ctx context.Context) error {
	return o.tx.QueryRowContext(ctx, selectObject, o.of.Tenant, o.of.Application, []byte(o.of.Key), o.now.UnixMicro()).
		Scan(&o.Hash, &o.EventID, &o.EchoOf, &o.Order, &o.Latest, &o.LatestEvent)
}

func (o *object) save(ctx context.Context) error {
	_, err := o.tx.ExecContext(ctx, upsertObject, o.of.Tenant, o.of.Application, []byte(o.of.Key),
		o.Hash, o.EventID, o.EchoOf, o.Order, o.Latest, o.LatestEvent, o.now.Add(echo.ObjectTTL).UnixMicro())
	return err
}

// next gives the next place among all changes.
func (o *object) next(ctx context.Context) (n int64, err error) {
	err = o.tx.QueryRowContext(ctx, o.store.dialect.NextOrder(), o.of.Tenant).Scan(&n)
	return n, err
}

func (o *object) rule(ctx context.Context, r echo.Report) (echo.Ruling, error) {
	if o.EventID == r.EventID {
		return o.ruling(ctx)
	}
	w, err := o.take(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return o.change(ctx, r)
	}
	if err != nil {
		return echo.Ruling{}, err
	}
	if w.kind == echo.Idle {
		ruling, err := o.change(ctx, r)
		ruling.Unsure = true
		return ruling, err
	}
	o.RecordEcho(r, w.eventID, w.order)
	if err := o.save(ctx); err != nil {
		return echo.Ruling{}, err
	}
	return o.ruling(ctx)
}

// change is a report of something we did not write.
func (o *object) change(ctx context.Context, r echo.Report) (echo.Ruling, error) {
	n, err := o.next(ctx)
	if err != nil {
		return echo.Ruling{}, err
	}
	ruling := o.RecordChange(r, n)
	before := o.now.Add(-echo.ReportLag).UnixMicro()
	if _, err := o.tx.ExecContext(ctx, deleteIdle, o.of.Tenant, o.of.Application, []byte(o.of.Key), before); err != nil {
		return echo.Ruling{}, err
	}
	return ruling, o.save(ctx)
}

// ruling says what the latest report was, and which change the application has lost by it: one that
// is still to come is not lost.
func (o *object) ruling(ctx context.Context) (echo.Ruling, error) {
	r, behind := o.Ruling()
	if !behind {
		return r, nil
	}
	var comes bool
	err := o.tx.QueryRowContext(ctx, isToCome, o.of.Tenant, o.of.Application, []byte(o.of.Key), o.Latest, o.now.UnixMicro()).Scan(&comes)
	if err == nil && !comes {
		r.Newer, r.Latest = o.LatestEvent, o.Latest
	}
	return r, err
}

// written is a write that a report echoes.
type written struct {
	eventID        string
	order, notedAt int64
	kind           echo.WriteKind
}

// take finds the write of the reported value, and takes it off with those that were over before it
// began. It answers sql.ErrNoRows if there is none.
func (o *object) take(ctx context.Context) (w written, err error) {
	key := []byte(o.of.Key)
	err = o.tx.QueryRowContext(ctx, takeWrite, o.of.Tenant, o.of.Application, key, o.of.Hash, o.now.UnixMicro()).
		Scan(&w.eventID, &w.order, &w.kind, &w.notedAt)
	if err != nil {
		return w, err
	}
	before := w.notedAt - echo.AttemptLag.Microseconds()
	_, err = o.tx.ExecContext(ctx, deletePassed, o.of.Tenant, o.of.Application, key, w.order, before)
	return w, err
}

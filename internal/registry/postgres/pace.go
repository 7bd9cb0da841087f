package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/webhook"
)

const (
	// lockPace makes the workers that ask about one endpoint take turns. The clock is the server's: theirs
	// differ.
	lockPace = `INSERT INTO paces AS was (tenant, endpoint_id, full_at) VALUES ($1, $2, 0)
		ON CONFLICT (tenant, endpoint_id) DO UPDATE SET full_at = was.full_at
		RETURNING full_at, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint`
	updatePace = `UPDATE paces SET full_at = $3 WHERE tenant = $1 AND endpoint_id = $2`
	takeSlot   = `DELETE FROM slots WHERE tenant = $1 AND endpoint_id = $2 AND event_id = $3 AND at <= $4 RETURNING at, again`
	selectSlot = `SELECT at FROM slots WHERE tenant = $1 AND endpoint_id = $2 AND event_id = $3`
	insertSlot = `INSERT INTO slots (tenant, endpoint_id, event_id, at, again) VALUES ($1, $2, $3, $4, $5)`
	sweepSlots = `DELETE FROM slots WHERE ctid = ANY (ARRAY (SELECT ctid FROM slots WHERE at < $1 ORDER BY at LIMIT 1000 FOR UPDATE SKIP LOCKED))`
)

// What follows is the sender's own pacer, for all workers together.
const (
	aboutNow = 50 * time.Millisecond // how far off a slot may be to be now
	missed   = 10 * time.Second      // how late a delivery may come to its slot, at least
	keptSlot = time.Hour             // how long a slot is kept that nobody comes for
)

// Pass spends a token of an endpoint's limit on the delivery of an event; the zero duration says so. When
// there is none, the delivery gets the next one that will be, a slot of its own, and comes back after
// the wait, to whatever worker. An endpoint that is gone limits nothing.
func (r *Registry) Pass(ctx context.Context, tenant, endpointID, eventID string, limit webhook.RateLimit) (wait time.Duration, err error) {
	if err := r.sweepSlots(ctx); err != nil {
		return 0, about(endpointID, err)
	}
	err = r.write(ctx, func(tx *sql.Tx) error {
		p := pace{tx: tx, tenant: tenant, endpointID: endpointID, eventID: eventID, limit: limit}
		if err := tx.QueryRowContext(ctx, lockPace, tenant, endpointID).Scan(&p.fullAt, &p.now); err != nil {
			return err
		}
		wait, err = p.pass(ctx)
		return err
	})
	if isForeignKey(err) {
		return 0, nil
	}
	return wait, about(endpointID, err)
}

// pace is one endpoint's, locked. Times are microseconds.
type pace struct {
	tx                          *sql.Tx
	tenant, endpointID, eventID string
	limit                       webhook.RateLimit
	fullAt, now                 int64
}

func (p *pace) pass(ctx context.Context) (time.Duration, error) {
	var at int64
	var again bool
	err := p.tx.QueryRowContext(ctx, takeSlot, p.tenant, p.endpointID, p.eventID, p.now+aboutNow.Microseconds()).Scan(&at, &again)
	switch {
	case err == nil && (again || p.now-at <= p.patience().Microseconds()):
		return 0, nil
	case err == nil: // many may have been late together, and all at once would be the flood
		return p.reserve(ctx, true)
	case !errors.Is(err, sql.ErrNoRows):
		return 0, err
	}
	err = p.tx.QueryRowContext(ctx, selectSlot, p.tenant, p.endpointID, p.eventID).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return p.reserve(ctx, false)
	}
	return micros(at - p.now), err
}

// reserve takes the next token, now or later.
func (p *pace) reserve(ctx context.Context, again bool) (time.Duration, error) {
	interval := float64(time.Second.Microseconds()) / p.limit.PerSecond
	p.fullAt = max(p.fullAt, p.now) + int64(interval)
	if _, err := p.tx.ExecContext(ctx, updatePace, p.tenant, p.endpointID, p.fullAt); err != nil {
		return 0, err
	}
	wait := micros(p.fullAt - int64(interval*float64(p.limit.Burst)) - p.now)
	if wait <= aboutNow {
		return 0, nil
	}
	_, err := p.tx.ExecContext(ctx, insertSlot, p.tenant, p.endpointID, p.eventID, p.now+wait.Microseconds(), again)
	return wait, err
}

// patience is how late is too late. A token that could lie in the bucket that long is not missed.
func (p *pace) patience() time.Duration {
	return max(missed, time.Duration(float64(p.limit.Burst)/p.limit.PerSecond*float64(time.Second)))
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// sweepSlots drops, now and then, the slots that nobody came for.
func (r *Registry) sweepSlots(ctx context.Context) error {
	if r.passes.Add(1)%sweepEvery != 0 {
		return nil
	}
	_, err := r.db.ExecContext(ctx, sweepSlots, time.Now().Add(-keptSlot).UnixMicro())
	return err
}

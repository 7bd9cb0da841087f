package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/registry/sqlstore"
	"hookloop/internal/webhook"
)

const (
	// lockPace makes the workers that ask about one endpoint take turns. The clock is the server's:
	// theirs differ.
	lockPace = `INSERT INTO paces AS was (tenant, endpoint_id, full_at) VALUES ($1, $2, 0)
		ON CONFLICT (tenant, endpoint_id) DO UPDATE SET full_at = was.full_at
		RETURNING full_at, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint`
	updatePace = `UPDATE paces SET full_at = $3 WHERE tenant = $1 AND endpoint_id = $2`
	takeSlot   = `DELETE FROM slots WHERE tenant = $1 AND endpoint_id = $2 AND event_id = $3 AND at <= $4 RETURNING at, again`
	selectSlot = `SELECT at FROM slots WHERE tenant = $1 AND endpoint_id = $2 AND event_id = $3`
	insertSlot = `INSERT INTO slots (tenant, endpoint_id, event_id, at, again) VALUES ($1, $2, $3, $4, $5)`
)

var deleteSlots = dialect{}.Delete(sqlstore.Rows{Table: "slots", Where: "at < $1", Order: "at", Limit: "1000"})

// Pass spends a token of an endpoint's limit on the delivery of an event; the zero duration says
// so. When there is none, the delivery gets the next one that will be, a slot of its own, and comes
// back after the wait, to any worker. An endpoint that is gone limits nothing.
func (r *Registry) Pass(ctx context.Context, tenant, endpointID, eventID string, limit webhook.RateLimit) (wait time.Duration, err error) {
	if err := r.dropOldSlots(ctx); err != nil {
		return 0, aboutEndpoint(ctx, endpointID, err)
	}
	err = sqlstore.Write(ctx, r.db, func(tx *sql.Tx) error {
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
	return wait, aboutEndpoint(ctx, endpointID, err)
}

func aboutEndpoint(ctx context.Context, id string, err error) error {
	return sqlstore.About(ctx, dialect{}, "endpoint "+id, err)
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
	err := p.tx.QueryRowContext(ctx, takeSlot, p.tenant, p.endpointID, p.eventID, p.now+webhook.SlotTolerance.Microseconds()).Scan(&at, &again)
	switch {
	case err == nil && (again || p.now-at <= p.limit.Patience().Microseconds()):
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
	if wait <= webhook.SlotTolerance {
		return 0, nil
	}
	_, err := p.tx.ExecContext(ctx, insertSlot, p.tenant, p.endpointID, p.eventID, p.now+wait.Microseconds(), again)
	return wait, err
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// dropEvery is how many passes lie between two looks for slots that no delivery came for.
const dropEvery = 64

func (r *Registry) dropOldSlots(ctx context.Context) error {
	if r.passes.Add(1)%dropEvery != 0 {
		return nil
	}
	_, err := r.db.ExecContext(ctx, deleteSlots, time.Now().Add(-webhook.SlotKept).UnixMicro())
	return err
}

package postgres

import (
	"context"
	"fmt"
	"time"

	"hookloop/internal/registry"
)

const (
	insertRedelivered = `INSERT INTO redelivered (tenant, event_id, endpoint_id, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, event_id, endpoint_id) DO UPDATE SET expires_at = greatest(redelivered.expires_at, excluded.expires_at)`
	sweepRedelivered = `DELETE FROM redelivered WHERE (tenant, event_id, endpoint_id) IN
		(SELECT tenant, event_id, endpoint_id FROM redelivered WHERE expires_at <= $1 LIMIT 10 FOR UPDATE SKIP LOCKED)`
	selectRedelivered = `SELECT endpoint_id FROM redelivered WHERE tenant = $1 AND event_id = $2 ORDER BY endpoint_id`
)

// NoteRedelivery notes that an event goes to an endpoint it was not accepted for, and forgets some that are
// too old.
func (r *Registry) NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error {
	_, err := r.db.ExecContext(ctx, insertRedelivered, tenant, eventID, endpointID, registry.RedeliveredEnd(now).UnixMicro())
	if err == nil {
		_, err = r.db.ExecContext(ctx, sweepRedelivered, now.UnixMicro())
	}
	return aboutRedelivered(eventID, err)
}

// Redelivered gives the ids of the endpoints NoteRedelivery was told of, in order.
func (r *Registry) Redelivered(ctx context.Context, tenant, eventID string) ([]string, error) {
	ids, err := r.ids(ctx, selectRedelivered, tenant, eventID)
	return ids, aboutRedelivered(eventID, err)
}

func aboutRedelivered(eventID string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redeliveries of event %s: %w", eventID, explain(err))
}

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"hookloop/internal/registry"
)

const (
	insertRedelivered = `INSERT INTO redelivered (tenant, event_id, endpoint_id, expires_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, event_id, endpoint_id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`
	sweepRedelivered = `DELETE FROM redelivered WHERE (tenant, event_id, endpoint_id) IN
		(SELECT tenant, event_id, endpoint_id FROM redelivered WHERE expires_at <= ? LIMIT 10)`
	selectRedelivered = `SELECT endpoint_id FROM redelivered WHERE tenant = ? AND event_id = ? ORDER BY endpoint_id`
)

// NoteRedelivery notes that an event goes to an endpoint it was not accepted for, and forgets some that are
// too old.
func (r *Registry) NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error {
	err := r.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, insertRedelivered, tenant, eventID, endpointID, registry.RedeliveredEnd(now).UnixMicro())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, sweepRedelivered, now.UnixMicro())
		return err
	})
	return aboutRedelivered(eventID, err)
}

// Redelivered gives the ids of the endpoints NoteRedelivery was told of, in order.
func (r *Registry) Redelivered(ctx context.Context, tenant, eventID string) (ids []string, err error) {
	rows, err := r.redelivered.QueryContext(ctx, tenant, eventID)
	if err != nil {
		return nil, aboutRedelivered(eventID, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, aboutRedelivered(eventID, err)
		}
		ids = append(ids, id)
	}
	return ids, aboutRedelivered(eventID, rows.Err())
}

func aboutRedelivered(eventID string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redeliveries of event %s: %w", eventID, explain(err))
}

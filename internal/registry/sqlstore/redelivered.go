package sqlstore

import (
	"context"
	"time"

	"hookloop/internal/webhook"
)

const (
	insertRedelivered = `INSERT INTO redelivered AS was (tenant, event_id, endpoint_id, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, event_id, endpoint_id) DO UPDATE SET expires_at = excluded.expires_at WHERE excluded.expires_at > was.expires_at`
	selectRedelivered = `SELECT endpoint_id FROM redelivered WHERE tenant = $1 AND event_id = $2 ORDER BY endpoint_id`
)

var expiredRedelivered = Rows{
	Table: "redelivered", Key: "tenant, event_id, endpoint_id", Where: "expires_at <= $1", Order: "expires_at", Limit: "10",
}

// NoteRedelivery notes that an event goes to an endpoint it was not accepted for, and forgets some
// that are older than any Temporal keeps histories.
func (s *Store) NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error {
	_, err := s.writer.ExecContext(ctx, insertRedelivered, tenant, eventID, endpointID, now.Add(webhook.RememberArrivals).UnixMicro())
	if err == nil {
		_, err = s.writer.ExecContext(ctx, s.statements.deleteRedelivered, now.UnixMicro())
	}
	return s.explain(ctx, "redeliveries of event "+eventID, err)
}

// Redelivered gives the ids of the endpoints that NoteRedelivery noted for an event, in order.
func (s *Store) Redelivered(ctx context.Context, tenant, eventID string) ([]string, error) {
	rows, err := s.redelivered.rows(ctx, tenant, eventID)
	ids, err := list(rows, err, readID)
	return ids, s.explain(ctx, "redeliveries of event "+eventID, err)
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hookloop/internal/webhook"
)

const (
	insertBody   = `INSERT INTO bodies (tenant, event_id, digest, created_at, sealed) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	selectBody   = `SELECT sealed FROM bodies WHERE tenant = $1 AND event_id = $2 AND digest = $3`
	selectBodies = `SELECT tenant, event_id, digest, created_at FROM bodies
		WHERE created_at < $1 AND (tenant, event_id, digest) > ($2, $3, $4) ORDER BY tenant, event_id, digest LIMIT $5`
	deleteBody = `DELETE FROM bodies WHERE tenant = $1 AND event_id = $2`
)

// PutBody writes the data of an event. The same data may be written again.
func (s *Store) PutBody(ctx context.Context, b webhook.StoredBody) error {
	_, err := s.writer.ExecContext(ctx, insertBody, b.Tenant, b.EventID, b.Digest, b.CreatedAt.UnixMicro(), b.Sealed)
	return s.explain(ctx, "bodies", err)
}

// Body reads the data of an event. It answers a webhook.NotFound error for one that is not there.
func (s *Store) Body(ctx context.Context, tenant, eventID, digest string) (sealed []byte, err error) {
	err = s.readers.QueryRowContext(ctx, selectBody, tenant, eventID, digest).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, webhook.Errorf(webhook.NotFound, "the body is not in the store")
	}
	return sealed, s.explain(ctx, "bodies", err)
}

// Bodies lists those made before a time, without what they hold, by tenant, event id and digest,
// those behind after.
func (s *Store) Bodies(ctx context.Context, before time.Time, after webhook.StoredBody, limit int) ([]webhook.StoredBody, error) {
	rows, err := s.readers.QueryContext(ctx, selectBodies, before.UnixMicro(), after.Tenant, after.EventID, after.Digest, limit)
	all, err := list(rows, err, func(r row) (b webhook.StoredBody, err error) {
		err = r.Scan(&b.Tenant, &b.EventID, &b.Digest, micros{&b.CreatedAt})
		return b, err
	})
	return all, s.explain(ctx, "bodies", err)
}

// DeleteBody deletes the data of an event, if there is any.
func (s *Store) DeleteBody(ctx context.Context, tenant, eventID string) error {
	_, err := s.writer.ExecContext(ctx, deleteBody, tenant, eventID)
	return s.explain(ctx, "bodies", err)
}

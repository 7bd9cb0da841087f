package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	insertBody   = `INSERT INTO bodies (tenant, event_id, digest, created_at, sealed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	selectBody   = `SELECT sealed FROM bodies WHERE tenant = ? AND event_id = ? AND digest = ?`
	selectBodies = `SELECT tenant, event_id, digest, created_at FROM bodies WHERE created_at < ? AND (tenant, event_id, digest) > (?, ?, ?)
		ORDER BY tenant, event_id, digest LIMIT ?`
	deleteBody = `DELETE FROM bodies WHERE tenant = ? AND event_id = ?`
)

// PutBody writes the data of an event. The same data may be written again.
func (r *Registry) PutBody(ctx context.Context, b webhook.StoredBody) error {
	_, err := r.writer.ExecContext(ctx, insertBody, b.Tenant, b.EventID, b.Digest, b.CreatedAt.UnixMicro(), b.Sealed)
	return aboutBody(err)
}

// Body reads the data of an event. It answers a webhook.NotFound error for one that is not there.
func (r *Registry) Body(ctx context.Context, tenant, eventID, digest string) (sealed []byte, err error) {
	err = r.readers.QueryRowContext(ctx, selectBody, tenant, eventID, digest).Scan(&sealed)
	return sealed, aboutBody(err)
}

// Bodies lists those made before a time, without what they hold, by tenant, event id and digest, those behind
// after.
func (r *Registry) Bodies(ctx context.Context, before time.Time, after webhook.StoredBody, limit int) ([]webhook.StoredBody, error) {
	rows, err := r.readers.QueryContext(ctx, selectBodies, before.UnixMicro(), after.Tenant, after.EventID, after.Digest, limit)
	if err != nil {
		return nil, aboutBody(err)
	}
	defer func() { _ = rows.Close() }()
	var all []webhook.StoredBody
	for rows.Next() {
		var b webhook.StoredBody
		var created int64
		if err := rows.Scan(&b.Tenant, &b.EventID, &b.Digest, &created); err != nil {
			return nil, aboutBody(err)
		}
		b.CreatedAt = registry.Time(created)
		all = append(all, b)
	}
	return all, aboutBody(rows.Err())
}

// DeleteBody deletes the data of an event, if there is any.
func (r *Registry) DeleteBody(ctx context.Context, tenant, eventID string) error {
	_, err := r.writer.ExecContext(ctx, deleteBody, tenant, eventID)
	return aboutBody(err)
}

func aboutBody(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return webhook.Errorf(webhook.NotFound, "the body is not in the store")
	}
	return fmt.Errorf("bodies: %w", explain(err))
}

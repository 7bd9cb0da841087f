package sqlstore

import (
	"context"
	"database/sql"

	"hookloop/internal/webhook"
)

var (
	sourceTable      = tableOf("sources", sourceColumns)
	selectSourceByID = sourceTable.selects("id = $1")
)

func (s *Store) createdSource(ctx context.Context, src webhook.Source) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		return s.recordSource(ctx, tx, webhook.AuditSourceCreated, webhook.Source{}, src)
	}
}

// CreateSource adds a source as it is. It answers a webhook.Conflict error when the id is taken or
// the tenant has registry.MaxSources already.
func (s *Store) CreateSource(ctx context.Context, src webhook.Source) error {
	return s.sources.create(ctx, src.Tenant, src, s.createdSource(ctx, src))
}

// CreateSourceOnce is CreateSource with an Idempotency-Key, as CreateEndpointOnce is.
func (s *Store) CreateSourceOnce(ctx context.Context, src webhook.Source, c webhook.Creation) (webhook.Creation, error) {
	return s.sources.createOnce(ctx, src.Tenant, src, c, s.createdSource(ctx, src))
}

// Source looks a source up, its config opened. It answers a webhook.NotFound error for one the
// tenant does not have.
func (s *Store) Source(ctx context.Context, tenant, id string) (webhook.Source, error) {
	return s.sources.get(ctx, tenant, id)
}

// SourceByID looks up a source of any tenant: a third party's request names no tenant.
func (s *Store) SourceByID(ctx context.Context, id string) (webhook.Source, error) {
	src, err := s.sources.scan(s.sourceByID.row(ctx, id))
	return src, s.sources.about(ctx, id, err)
}

// Sources lists at most limit of the tenant's sources in the order of their ids, from the one that
// follows after; "" starts at the first.
func (s *Store) Sources(ctx context.Context, tenant, after string, limit int) ([]webhook.Source, error) {
	return s.sources.list(ctx, tenant, after, limit)
}

// CountSources gives the number of the tenant's sources.
func (s *Store) CountSources(ctx context.Context, tenant string) (int, error) {
	return s.sources.count(ctx, tenant)
}

// UpdateSource lets change work on a source, writes what it leaves and returns that, as
// UpdateEndpoint does.
func (s *Store) UpdateSource(ctx context.Context, tenant, id string, change func(*webhook.Source) error) (now webhook.Source, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var before webhook.Source
		now, err = s.sources.update(ctx, tx, tenant, id, func(src *webhook.Source) error {
			before = *src
			err := change(src)
			src.Tenant, src.ID, src.CreatedAt, src.Version = before.Tenant, before.ID, before.CreatedAt, before.Version+1
			return err
		})
		if err != nil {
			return err
		}
		return s.recordSource(ctx, tx, webhook.AuditSourceChanged, before, now)
	})
	if err != nil {
		return webhook.Source{}, s.sources.about(ctx, id, err)
	}
	return now, nil
}

// DeleteSource removes a source. It answers a webhook.NotFound error for one the tenant does not
// have.
func (s *Store) DeleteSource(ctx context.Context, tenant, id string) error {
	err := s.sources.delete(ctx, tenant, id, func(tx *sql.Tx, src webhook.Source) error {
		return s.recordSource(ctx, tx, webhook.AuditSourceDeleted, src, webhook.Source{})
	})
	if err != nil {
		return err
	}
	// TakeArrivals adds to none that is gone
	_, err = s.writer.ExecContext(ctx, deleteActivity, id)
	return s.sources.about(ctx, id, err)
}

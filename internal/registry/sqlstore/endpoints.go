package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"hookloop/internal/webhook"
)

var endpointTable = tableOf("endpoints", endpointColumns)

// reportBreaker leaves alone a report that is newer.
const reportBreaker = `UPDATE endpoints SET breaker_opened_at = $3
	WHERE tenant = $1 AND id = $2 AND (breaker_opened_at < $3 OR $3 = 0 AND breaker_opened_at <> 0)`

// CreateEndpoint adds an endpoint as it is. It answers a webhook.Conflict error when the id is
// taken or the tenant has registry.MaxEndpoints already.
func (s *Store) CreateEndpoint(ctx context.Context, e webhook.Endpoint) error {
	return s.endpoints.create(ctx, e.Tenant, e, s.created(ctx, e))
}

// CreateEndpointOnce is CreateEndpoint with an Idempotency-Key: it gives what was made with that
// key, now or before.
func (s *Store) CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (webhook.Creation, error) {
	return s.endpoints.createOnce(ctx, e.Tenant, e, c, s.created(ctx, e))
}

// created does what belongs to a new endpoint.
func (s *Store) created(ctx context.Context, e webhook.Endpoint) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		if err := s.subscribe(ctx, tx, e); err != nil {
			return err
		}
		return s.recordEndpoint(ctx, tx, webhook.AuditEndpointCreated, webhook.Endpoint{}, e)
	}
}

// Endpoint looks an endpoint up, its secrets opened. It answers a webhook.NotFound error for one
// the tenant does not have.
func (s *Store) Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	return s.endpoints.get(ctx, tenant, id)
}

// ofOwner names the owner twice: the index has only endpoints that have one.
var ofOwner = endpointTable.selects("tenant = $1 AND owner = $2 AND owner <> '' AND id > $3 ORDER BY id LIMIT $4")

// Endpoints lists the tenant's endpoints that q asks for.
func (s *Store) Endpoints(ctx context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error) {
	if q.Owner == "" {
		return s.endpoints.list(ctx, tenant, q.After, q.Limit)
	}
	return s.endpoints.listBy(ctx, prepared{db: s.readers, text: ofOwner}, tenant, q.Owner, q.After, q.Limit)
}

// CountEndpoints gives the number of the tenant's endpoints.
func (s *Store) CountEndpoints(ctx context.Context, tenant string) (int, error) {
	return s.endpoints.count(ctx, tenant)
}

// UpdateEndpoint lets change work on an endpoint, writes what it leaves and returns that. The
// endpoint is locked meanwhile, so change must be quick and must not call the registry. When change
// answers an error nothing is written. What change does to the id, the tenant, the version or the
// time of creation is undone; the time of the update is its to set.
func (s *Store) UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (now webhook.Endpoint, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var before webhook.Endpoint
		now, err = s.endpoints.update(ctx, tx, tenant, id, func(e *webhook.Endpoint) error {
			before = e.Clone()
			return changeEndpoint(e, change)
		})
		if err == nil && !subscriptionOf(before).equal(subscriptionOf(now)) {
			err = s.resubscribe(ctx, tx, now)
		}
		if err != nil {
			return err
		}
		return s.recordEndpoint(ctx, tx, webhook.AuditEndpointChanged, before, now)
	})
	if err != nil {
		return webhook.Endpoint{}, s.endpoints.about(ctx, id, err)
	}
	return now, nil
}

func changeEndpoint(e *webhook.Endpoint, change func(*webhook.Endpoint) error) error {
	before := *e
	if err := change(e); err != nil {
		return err
	}
	e.Tenant, e.ID, e.CreatedAt, e.Version = before.Tenant, before.ID, before.CreatedAt, before.Version+1
	e.BreakerOpenedAt = before.BreakerOpenedAt
	if e.State != before.State || e.BeginsAnew(before.Reach(), before.Releasing) {
		e.BreakerOpenedAt = time.Time{}
	}
	return nil
}

// DeleteEndpoint removes an endpoint, its secrets and, by cascade, its subscriptions. It answers a
// webhook.NotFound error for one the tenant does not have.
func (s *Store) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	return s.endpoints.delete(ctx, tenant, id, func(tx *sql.Tx, e webhook.Endpoint) error {
		return s.recordEndpoint(ctx, tx, webhook.AuditEndpointDeleted, e, webhook.Endpoint{})
	})
}

// ReportBreaker notes when a worker's breaker opened, for other workers to heed; the zero time says
// that the endpoint has recovered. A report older than the one kept changes nothing. The endpoint's
// version stays: a report is no change of it.
func (s *Store) ReportBreaker(ctx context.Context, tenant, id string, openedAt time.Time) error {
	_, err := s.writer.ExecContext(ctx, reportBreaker, tenant, id, microsOf(openedAt))
	return s.endpoints.about(ctx, id, err)
}

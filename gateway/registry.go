package gateway

import (
	"context"
	"encoding/json"

	"hookloop/gateway/ingest"
	"hookloop/internal/webhook"
)

// Registry keeps the endpoints. Its errors carry webhook.NotFound or webhook.Conflict; one without
// a code means that it is out of reach.
type Registry interface {
	CreateEndpoint(ctx context.Context, e webhook.Endpoint) error
	// CreateEndpointOnce gives what an Idempotency-Key has made, now or before.
	CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (webhook.Creation, error)
	Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
	Endpoints(ctx context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error)
	CountEndpoints(ctx context.Context, tenant string) (int, error)
	// Created says whether an Idempotency-Key has made an endpoint.
	Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error)
	// UpdateEndpoint applies change to the endpoint as it is now, or not at all.
	UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error)
	DeleteEndpoint(ctx context.Context, tenant, id string) error
	// Record adds a line to the change log, which the registry itself writes with each change.
	Record(ctx context.Context, tenant string, l webhook.AuditLine) error
	// Match gives the endpoints that want an event of this type.
	Match(ctx context.Context, tenant, eventType string) (webhook.Match, error)
	Ping(ctx context.Context) error
}

// Sources keeps the sources. Its errors are as those of Registry.
type Sources interface {
	ingest.Sources

	CreateSource(ctx context.Context, s webhook.Source) error
	// CreateSourceOnce gives what an Idempotency-Key has made, now or before.
	CreateSourceOnce(ctx context.Context, s webhook.Source, c webhook.Creation) (webhook.Creation, error)
	Source(ctx context.Context, tenant, id string) (webhook.Source, error)
	// Sources lists by id, those behind after, at most limit.
	Sources(ctx context.Context, tenant, after string, limit int) ([]webhook.Source, error)
	CountSources(ctx context.Context, tenant string) (int, error)
	// Created says whether an Idempotency-Key has made a source.
	Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error)
	UpdateSource(ctx context.Context, tenant, id string, change func(*webhook.Source) error) (webhook.Source, error)
	DeleteSource(ctx context.Context, tenant, id string) error
	SourceActivity(ctx context.Context, sourceID string) (webhook.SourceActivity, error)
}

// Providers know the third parties' protocols; source.Providers do.
type Providers interface {
	ingest.Providers
	Shown(name string, config json.RawMessage) (json.RawMessage, error)
}

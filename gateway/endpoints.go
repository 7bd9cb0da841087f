package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/quota"
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

func (g *Gateway) endpointRoutes(to huma.API) {
	const (
		endpoints = "/v1/tenants/{tenant}/endpoints"
		one       = endpoints + "/{id}"
	)
	route(g, to, operation{
		id: "create-endpoint", tag: tagEndpoints, refuses: []api.Code{api.IdempotencyConflict}, cost: makes, method: http.MethodPost, path: endpoints, scope: api.EndpointsWrite, status: http.StatusCreated,
		summary: "Create an endpoint", text: "The answer shows its secret; afterwards only `/secret` does.",
		example: map[string]any{"url": "https://example.com/hooks", "event_types": []string{"contact.updated"}},
	}, g.createEndpoint)
	route(g, to, operation{
		id: "list-endpoints", tag: tagEndpoints, method: http.MethodGet, path: endpoints, scope: api.EndpointsRead,
		summary: "List endpoints", text: "The oldest first.",
	}, g.listEndpoints)
	route(g, to, operation{
		id: "get-endpoint", tag: tagEndpoints, method: http.MethodGet, path: one, scope: api.EndpointsRead, summary: "Get an endpoint",
	}, g.getEndpoint)
	route(g, to, operation{
		id: "patch-endpoint", tag: tagEndpoints, method: http.MethodPatch, path: one, scope: api.EndpointsWrite, summary: "Change an endpoint",
		text:    "Merges (RFC 7396): what is absent stays, `null` goes back to the default. Deliveries under way keep their schedule.",
		example: map[string]any{"timeout": "10s", "event_types": nil},
	}, g.patchEndpoint)
	route(g, to, operation{
		id: "delete-endpoint", tag: tagEndpoints, method: http.MethodDelete, path: one, scope: api.EndpointsWrite, status: http.StatusNoContent,
		summary: "Delete an endpoint", text: "Its deliveries under way end as `cancelled`.",
	}, g.deleteEndpoint)
	route(g, to, operation{
		id: "get-endpoint-secret", tag: tagEndpoints, method: http.MethodGet, path: one + "/secret", scope: api.EndpointsWrite,
		summary: "Show the secret that signs",
	}, g.getSecret)
	route(g, to, operation{
		id: "rotate-endpoint-secret", tag: tagEndpoints, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: one + "/secret/rotate", scope: api.EndpointsWrite,
		summary: "Give an endpoint a new secret", text: "Until `overlap` is over, the secret before signs as well.", example: map[string]any{"overlap": "24h"},
	}, g.rotateSecret)
	route(g, to, operation{
		id: "test-endpoint", tag: tagEndpoints, refuses: []api.Code{api.EndpointIsDisabled}, method: http.MethodPost, path: one + "/test", scope: api.EndpointsWrite, within: acceptTimeout, status: http.StatusAccepted,
		summary: "Send an endpoint a test event", text: "Of the type `" + testType + "`, to this endpoint only, also if it wants other types.",
		admitted: true, cost: posts,
	}, g.testEndpoint)
}

type createEndpoint struct {
	body[api.NewEndpoint]
	TenantPath

	Key string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. For thirty days, a repeat with the same key and body is answered with the endpoint that the first one made, its secret among the rest." example:"endpoint-crm"`
}

type createdEndpoint struct {
	Location string `header:"Location"`
	Body     api.Endpoint
}

func (g *Gateway) createEndpoint(ctx context.Context, in *createEndpoint) (*createdEndpoint, error) {
	now := g.cfg.Now().UTC().Truncate(time.Millisecond)
	e := webhook.Endpoint{
		ID: newID(webhook.EndpointPrefix, now), Tenant: in.Tenant, State: webhook.EndpointActive,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	err := g.setEndpoint(&e, in.value)
	if err != nil {
		return nil, err
	}
	if e.Secrets, err = firstSecret(in.value.Secret); err != nil {
		return nil, err
	}
	if err := wellformed.Expressions(ctx, g.cfg.Expressions, in.Tenant, in.tree); err != nil {
		return nil, err
	}
	if e, err = g.makeEndpoint(ctx, in, e); err != nil {
		return nil, err
	}
	shown := show(ctx, e)
	shown.Secret = e.Secrets[0].Secret.Reveal()
	return &createdEndpoint{Location: "/v1/tenants/" + e.Tenant + "/endpoints/" + e.ID, Body: shown}, nil
}

// makeEndpoint gives the endpoint that was made: now, or before with the same Idempotency-Key.
func (g *Gateway) makeEndpoint(ctx context.Context, in *createEndpoint, e webhook.Endpoint) (webhook.Endpoint, error) {
	m := making[webhook.Endpoint]{
		kind: "endpoint", quota: quota.Endpoints, quotas: g.cfg.Quotas, count: g.cfg.Registry.CountEndpoints, created: g.cfg.Registry.Created,
		create: g.cfg.Registry.CreateEndpoint, once: g.cfg.Registry.CreateEndpointOnce, read: g.cfg.Registry.Endpoint,
	}
	e, repeat, err := m.make(ctx, &in.request, in.raw, in.Tenant, e.ID, e.CreatedAt, e)
	if err != nil || !repeat {
		return e, err
	}
	return e, g.recordRead(ctx, in.Tenant, webhook.AuditLine{Kind: webhook.AuditSecretRead, EndpointID: e.ID, EndpointVersion: e.Version})
}

func (g *Gateway) getEndpoint(ctx context.Context, in *EndpointPath) (*answerOf[api.Endpoint], error) {
	e, err := g.endpoint(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	shown := show(ctx, e)
	if g.cfg.Breakers != nil {
		shown.Breaker = g.cfg.Breakers.Breaker(e.Tenant, e.ID)
	}
	activity, err := g.stats.Activity(ctx, in.Tenant, []string{e.ID})
	shown.Activity, shown.PreviousSecretUntil = activity[e.ID], webhook.TimeOrNone(e.PreviousSecretUntil(g.cfg.Now()))
	return answered(shown, err)
}

// endpoint reads one; an id that cannot exist is not asked for.
func (g *Gateway) endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	if !endpointID.MatchString(id) {
		return webhook.Endpoint{}, problem.NoSuch("endpoint")
	}
	e, err := g.cfg.Registry.Endpoint(ctx, tenant, id)
	return e, problem.Lookup("endpoint", id, err)
}

type listEndpoints struct {
	TenantPath
	api.EndpointQuery
}

func (g *Gateway) listEndpoints(ctx context.Context, in *listEndpoints) (*answerOf[api.Page[api.Endpoint]], error) {
	list := "endpoints of " + in.Tenant + " " + in.Owner
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := g.confined.Endpoints(ctx, in.Tenant, webhook.EndpointQuery{Owner: in.Owner, After: string(after), Limit: in.Limit + 1})
	if err != nil {
		return nil, fmt.Errorf("endpoints: %w", problem.Registry(err))
	}
	found, next := cut(found, in.Limit, func(e webhook.Endpoint) []byte { return []byte(e.ID) })
	activity, err := g.stats.Activity(ctx, in.Tenant, idsOf(found, func(e webhook.Endpoint) string { return e.ID }))
	if err != nil {
		return nil, err
	}
	return page(found, g.newCursor(list, next), func(e webhook.Endpoint) api.Endpoint {
		shown := show(ctx, e)
		shown.Activity = activity[e.ID]
		return shown
	}), nil
}

type patchEndpoint struct {
	change[api.NewEndpoint]
	EndpointPath
}

func (g *Gateway) patchEndpoint(ctx context.Context, in *patchEndpoint) (*answerOf[api.Endpoint], error) {
	if _, given := in.tree["secret"]; given {
		return nil, webhook.Invalidf("secret", "cannot be patched: POST …/secret/rotate gives the endpoint a new one")
	}
	if err := wellformed.Expressions(ctx, g.cfg.Expressions, in.Tenant, in.tree); err != nil {
		return nil, err
	}
	e, err := g.change(ctx, in.Tenant, in.ID, func(e *webhook.Endpoint) error {
		next, err := in.of(settings(*e))
		if err != nil {
			return err
		}
		return g.setEndpoint(e, next)
	})
	return answered(show(ctx, e), err)
}

// change applies fn to an endpoint, or nothing if fn refuses.
func (g *Gateway) change(ctx context.Context, tenant, id string, fn func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	e, err := g.cfg.Registry.UpdateEndpoint(ctx, tenant, id, func(e *webhook.Endpoint) error {
		e.UpdatedAt = g.cfg.Now().UTC().Truncate(time.Millisecond)
		return fn(e)
	})
	return e, problem.Lookup("endpoint", id, err)
}

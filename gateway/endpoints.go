package gateway

import (
	"context"
	"fmt"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

type endpointPath struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

// endpoint is an endpoint as the API shows it. Schedule, timeout and approval are those that hold,
// the defaults included.
type endpoint struct {
	ID          string                `json:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	URL         string                `json:"url" example:"https://example.com/hooks"`
	State       webhook.EndpointState `json:"state" enum:"active,held,paused,disabled"`
	StateReason string                `json:"state_reason,omitempty" doc:"Why it is not active." example:"paused by jane: they are moving house"`
	EventTypes  []string              `json:"event_types" doc:"Empty: every type of the tenant's own events."`
	Description string                `json:"description"`
	Headers     map[string]string     `json:"headers" doc:"Their values are shown as *** to a token without the scope endpoints:write."`
	Metadata    map[string]string     `json:"metadata"`
	Schedule    []string              `json:"schedule" doc:"The wait before each attempt."`
	Timeout     string                `json:"timeout" example:"15s"`
	RateLimit   *webhook.RateLimit    `json:"rate_limit,omitempty" doc:"Of attempts of whatever kind. Absent: no limit."`
	Approval    endpointApproval      `json:"approval"`
	Application string                `json:"application,omitempty" doc:"The application behind it; its events of sources of the same application are not delivered here, unless echo is true."`
	Echo        any                   `json:"echo,omitempty" doc:"true, or how to find object and value in what is sent here."`
	Request     *requestShape         `json:"request,omitempty" doc:"What is sent instead of the envelope."`
	Breaker     string                `json:"breaker,omitempty" enum:"closed,open,half-open" doc:"As the process that answers sees it: every worker has a breaker of its own. Absent in lists, and where no worker runs beside the gateway."`
	Version     int                   `json:"version" doc:"Grows with each change; attempts record it."`
	CreatedAt   time.Time             `json:"created_at"`
	UpdatedAt   time.Time             `json:"updated_at"`
	Secret      string                `json:"secret,omitempty" doc:"Only in the answer that created it."`
}

type endpointPage struct {
	Data       []endpoint `json:"data"`
	NextCursor *string    `json:"next_cursor" nullable:"true" doc:"null on the last page."`
}

type createEndpoint struct {
	request
	Tenant string `path:"tenant"`
	Key    string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. For thirty days, a repeat with the same key and body is answered with the endpoint that the first one made, its secret among the rest." example:"endpoint-crm"`
}

type createdEndpoint struct {
	Location string `header:"Location"`
	Body     endpoint
}

func (g *Gateway) createEndpoint(ctx context.Context, in *createEndpoint) (*createdEndpoint, error) {
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	now := g.now().UTC().Truncate(time.Millisecond)
	e := webhook.Endpoint{
		ID: newID(endpointPrefix, now), Tenant: in.Tenant, State: webhook.EndpointActive,
		Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}},
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	all, err := fields(body)
	if err != nil {
		return nil, err
	}
	if err := g.rules().create(&e, all); err != nil {
		return nil, err
	}
	if err := g.checkExpressions(ctx, in.Tenant, all); err != nil {
		return nil, err
	}
	if e, err = g.makeEndpoint(ctx, in, e, body); err != nil {
		return nil, err
	}
	shown := show(ctx, e)
	shown.Secret = e.Secrets[0].Secret.Reveal()
	return &createdEndpoint{Location: "/v1/tenants/" + e.Tenant + "/endpoints/" + e.ID, Body: shown}, nil
}

// makeEndpoint gives the endpoint that was made: now, or before with the same Idempotency-Key.
func (g *Gateway) makeEndpoint(ctx context.Context, in *createEndpoint, e webhook.Endpoint, body []byte) (webhook.Endpoint, error) {
	key, err := in.idempotencyKey()
	if err != nil {
		return e, err
	}
	c := webhook.NewCreation("endpoint", key, body, e.ID, e.CreatedAt)
	if err := g.roomUnlessMade(ctx, in.Tenant, key, c, g.roomForEndpoint, g.registry.Created); err != nil {
		return e, err
	}
	if key == "" {
		err = g.registry.CreateEndpoint(ctx, e)
	} else if c, err = once(c, func() (webhook.Creation, error) { return g.registry.CreateEndpointOnce(ctx, e, c) }); err == nil && c.ID != e.ID {
		e, err = g.registry.Endpoint(ctx, in.Tenant, c.ID)
		return e, gone("endpoint", c.ID, err)
	}
	if err != nil {
		return e, fmt.Errorf("endpoint %s: %w", e.ID, registryErr(err))
	}
	return e, nil
}

func (g *Gateway) getEndpoint(ctx context.Context, in *endpointPath) (*answerOf[endpoint], error) {
	e, err := g.endpoint(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	shown := show(ctx, e)
	if g.breakers != nil {
		shown.Breaker = g.breakers.Breaker(e.Tenant, e.ID)
	}
	return &answerOf[endpoint]{Body: shown}, nil
}

// endpoint reads one; an id that cannot exist is not asked for.
func (g *Gateway) endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	if !endpointID.MatchString(id) {
		return webhook.Endpoint{}, noSuchEndpoint()
	}
	e, err := g.registry.Endpoint(ctx, tenant, id)
	return e, endpointErr(id, err)
}

// endpointErr says that an endpoint is missing in our words, whatever the registry's are.
func endpointErr(id string, err error) error {
	switch {
	case err == nil:
		return nil
	case webhook.CodeOf(err) == webhook.NotFound:
		return noSuchEndpoint()
	}
	return fmt.Errorf("endpoint %s: %w", id, registryErr(err))
}

type listEndpoints struct {
	Tenant string `path:"tenant"`
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before."`
}

func (g *Gateway) listEndpoints(ctx context.Context, in *listEndpoints) (*answerOf[endpointPage], error) {
	list := "endpoints of " + in.Tenant
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := g.registry.Endpoints(ctx, in.Tenant, string(after), in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("endpoints: %w", registryErr(err))
	}
	page := endpointPage{Data: []endpoint{}}
	if len(found) > in.Limit { // the one too many only tells that there are more
		found = found[:in.Limit]
		page.NextCursor = g.newCursor(list, []byte(found[in.Limit-1].ID))
	}
	for _, e := range found {
		page.Data = append(page.Data, show(ctx, e))
	}
	return &answerOf[endpointPage]{Body: page}, nil
}

type patchEndpoint struct {
	request
	Tenant string `path:"tenant"`
	ID     string `path:"id"`
}

func (g *Gateway) patchEndpoint(ctx context.Context, in *patchEndpoint) (*answerOf[endpoint], error) {
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	change, err := fields(body)
	if err != nil {
		return nil, err
	}
	if err := g.checkExpressions(ctx, in.Tenant, change); err != nil {
		return nil, err
	}
	e, err := g.change(ctx, in.Tenant, in.ID, func(e *webhook.Endpoint) error { return g.rules().patch(e, change) })
	if err != nil {
		return nil, err
	}
	return &answerOf[endpoint]{Body: show(ctx, e)}, nil
}

// change applies fn to an endpoint, or nothing if fn refuses.
func (g *Gateway) change(ctx context.Context, tenant, id string, fn func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	if !endpointID.MatchString(id) {
		return webhook.Endpoint{}, noSuchEndpoint()
	}
	e, err := g.registry.UpdateEndpoint(ctx, tenant, id, func(e *webhook.Endpoint) error {
		e.UpdatedAt = g.now().UTC().Truncate(time.Millisecond)
		return fn(e)
	})
	return e, endpointErr(id, err)
}

// hidden stands for the value of a header in the eyes of a token that may not change it.
const hidden = "***"

// show shows an endpoint to the token that asks. Headers hold credentials: only a token that may set them
// reads their values.
func show(ctx context.Context, e webhook.Endpoint) endpoint {
	shown := endpoint{
		ID: e.ID, URL: e.URL, State: e.State, StateReason: e.StateReason, Description: e.Description, Version: e.Version,
		EventTypes: append([]string{}, e.EventTypes...),
		Headers:    merged(e.Headers, nil), Metadata: merged(e.Metadata, nil),
		Schedule: durations(e.ScheduleOrDefault()), Timeout: duration(e.TimeoutOrDefault()),
		Approval:    showApproval(e.Approval),
		Application: e.Application, Echo: showEcho(e),
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if !holds(ctx, EndpointsWrite) {
		for name := range shown.Headers {
			shown.Headers[name] = hidden
		}
	}
	if !e.RateLimit.IsZero() {
		shown.RateLimit = &e.RateLimit
	}
	if !e.Request.IsZero() {
		shape := requestShape(e.Request)
		shown.Request = &shape
	}
	return shown
}

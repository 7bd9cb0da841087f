package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"hookloop/internal/ownhost"
)

// answerOf is an answer that is nothing but its body.
type answerOf[T any] struct{ Body T }

// ingestPath is where third parties send to.
const ingestPath = "/in/:source_id"

// routes puts everything the gateway serves behind one handler.
func (g *Gateway) routes(c Config) (http.Handler, error) {
	engine := g.newEngine()
	if err := trust(engine, c.Proxies); err != nil {
		return nil, err
	}
	g.health(engine)
	if !c.OpsApart {
		engine.GET("/metrics", gin.WrapH(g.metrics.handler))
	}
	if g.codec != nil {
		engine.Any("/codec/*path", gin.WrapH(g.codec))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		engine.Handle(method, ingestPath, g.ingest)
	}

	api := humagin.New(engine, apiConfig(g.version))
	g.eventRoutes(api)
	g.deliveryRoutes(api)
	g.endpointRoutes(api)
	g.stateRoutes(api)
	g.approvalRoutes(api)
	g.recoveryRoutes(api)
	g.sourceRoutes(api)
	document, err := openAPI(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	engine.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", document) })
	if c.LoopbackHosts {
		return ownhost.Only(engine, g.comesFromOutside), nil
	}
	return engine, nil
}

func (g *Gateway) eventRoutes(api huma.API) {
	const events = "/v1/tenants/{tenant}/events"
	route(g, api, operation{
		id: "post-event", method: http.MethodPost, path: events, scope: EventsWrite, status: http.StatusAccepted,
		summary: "Post an event",
		text: "Answered once the event cannot be lost any more. It goes to every endpoint that wants its type; " +
			"`data` arrives there byte for byte as sent here. Names may not appear twice, nesting ends at 500 levels, the body at 262144 bytes.",
		body: newEventBody(api), admitted: true, cost: posts,
	}, g.postEvent)
	route(g, api, operation{
		id: "list-events", cost: costly, method: http.MethodGet, path: events, scope: EventsRead,
		summary: "List events", text: "Those still being delivered first, then the latest to end. An event shows up a moment after it was accepted. " +
			"The status is the one its first deliveries ended with; the event itself knows of redeliveries too.",
	}, g.listEvents)
	route(g, api, operation{
		id: "get-event", cost: costly, method: http.MethodGet, path: events + "/{id}", scope: EventsRead,
		summary: "What became of an event", text: "Every delivery with its attempts, for as long as Temporal keeps the history.",
	}, g.getEvent)
	route(g, api, operation{
		id: "get-event-audit", cost: costly, method: http.MethodGet, path: events + "/{id}/audit", scope: AuditRead,
		summary: "What happened to an event, line by line",
		text: "Who, what, when, which answer, who decided: read from the histories of its workflow and those of its deliveries, the oldest line first, for as long as Temporal " +
			"keeps them. A page has those of a hundred workflows of deliveries; the first one also the event's own.",
	}, g.getAudit)
	route(g, api, operation{
		id: "list-audit", cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/audit", scope: AuditRead,
		summary: "What happened to everything, line by line",
		text: "What the histories of events, deliveries, recoveries and approvals say, for as long as Temporal keeps them. A page has the lines of a hundred workflows, " +
			"the oldest first: first of those that still run, then of those that have ended, the latest first. One that ends between two pages may be on both.",
	}, g.listAudit)
}

func (g *Gateway) deliveryRoutes(api huma.API) {
	const (
		event    = "/v1/tenants/{tenant}/events/{id}"
		delivery = event + "/deliveries/{endpoint_id}"
	)
	route(g, api, operation{
		id: "retry-delivery-now", method: http.MethodPost, path: delivery + "/retry-now", scope: EventsWrite, status: http.StatusAccepted,
		summary: "Make a waiting delivery's next attempt now",
		text: "The schedule goes on behind it; an open breaker or a spent rate limit still defers it. Answers how the delivery stood when the order came. " +
			"`conflict` if it is not waiting: it has ended, or an early attempt is under way or comes within seconds.",
		body: orderBody(api),
	}, g.retryNow)
	route(g, api, operation{
		id: "cancel-delivery", method: http.MethodPost, path: delivery + "/cancel", scope: EventsWrite, status: http.StatusAccepted,
		summary: "End a waiting delivery",
		text: "It ends as `cancelled`, with the reason; an attempt under way is waited for, and counts. " +
			"Answers how the delivery stood when the order came. `conflict` if it is not waiting.",
		body: orderBody(api),
	}, g.cancelDelivery)
	route(g, api, operation{
		id: "redeliver-event", method: http.MethodPost, path: event + "/redeliver", scope: EventsWrite, status: http.StatusAccepted,
		summary: "Deliver an event again",
		text: "Without `endpoint_id`, every delivery that ended undelivered; with one, the delivery to any endpoint of the tenant, delivered or not, wanted or not. It is the same event: " +
			"the same `webhook-id`, the same bytes. `conflict` if nothing can be redelivered now, `history_expired` (410) " +
			"once the history is gone, and for an id that never was one: the two cannot be told apart.",
		body: redeliveryBody(api), admitted: true, cost: posts,
	}, g.redeliverEvent)
}

func (g *Gateway) recoveryRoutes(api huma.API) {
	const recovery = "/v1/tenants/{tenant}/endpoints/{id}/recover"
	route(g, api, operation{
		id: "recover-endpoint", cost: costly, method: http.MethodPost, path: recovery, scope: EndpointsWrite, status: http.StatusAccepted,
		summary: "Redeliver what an endpoint did not get",
		text: "Everything whose delivery began from `since` to before `until` and ended undelivered, and what was accepted in that time " +
			"while the endpoint was disabled, however much it is. With `unmatched`, in their place the events accepted in that time that no endpoint wanted, " +
			"of types that this one wants now. The `webhook-id` is the same as ever. With `dry_run` nothing is started. " +
			"`conflict` while a recovery of the endpoint is running, `endpoint_disabled` while nothing goes to it.",
		body: recoveryBody(api),
	}, g.startRecovery)
	route(g, api, operation{
		id: "get-recovery", cost: costly, method: http.MethodGet, path: recovery, scope: EndpointsRead,
		summary: "How far the latest recovery of an endpoint is",
	}, g.getRecovery)
	route(g, api, operation{
		id: "cancel-recovery", method: http.MethodDelete, path: recovery, scope: EndpointsWrite, status: http.StatusAccepted,
		summary: "End the recovery of an endpoint", text: "Deliveries it has started go on.",
	}, g.cancelRecovery)
}

func (g *Gateway) endpointRoutes(api huma.API) {
	const (
		endpoints = "/v1/tenants/{tenant}/endpoints"
		one       = endpoints + "/{id}"
	)
	route(g, api, operation{
		id: "create-endpoint", cost: makes, method: http.MethodPost, path: endpoints, scope: EndpointsWrite, status: http.StatusCreated,
		summary: "Create an endpoint", text: "The answer shows its secret; afterwards only `/secret` does.", body: newEndpointBody(api),
	}, g.createEndpoint)
	route(g, api, operation{
		id: "list-endpoints", method: http.MethodGet, path: endpoints, scope: EndpointsRead,
		summary: "List endpoints", text: "The oldest first.",
	}, g.listEndpoints)
	route(g, api, operation{
		id: "get-endpoint", method: http.MethodGet, path: one, scope: EndpointsRead, summary: "Get an endpoint",
	}, g.getEndpoint)
	route(g, api, operation{
		id: "patch-endpoint", method: http.MethodPatch, path: one, scope: EndpointsWrite, summary: "Change an endpoint",
		text: "Merges (RFC 7396): what is absent stays, `null` goes back to the default. Deliveries under way keep their schedule.",
		body: endpointChangeBody(api),
	}, g.patchEndpoint)
	route(g, api, operation{
		id: "delete-endpoint", method: http.MethodDelete, path: one, scope: EndpointsWrite, status: http.StatusNoContent,
		summary: "Delete an endpoint", text: "Its deliveries under way end as `cancelled`.",
	}, g.deleteEndpoint)
	route(g, api, operation{
		id: "get-endpoint-secret", method: http.MethodGet, path: one + "/secret", scope: EndpointsWrite,
		summary: "Show the secret that signs",
	}, g.getSecret)
	route(g, api, operation{
		id: "rotate-endpoint-secret", method: http.MethodPost, path: one + "/secret/rotate", scope: EndpointsWrite,
		summary: "Give an endpoint a new secret", text: "Until `overlap` is over, the secret before signs as well.", body: rotationBody(api),
	}, g.rotateSecret)
	route(g, api, operation{
		id: "test-endpoint", method: http.MethodPost, path: one + "/test", scope: EndpointsWrite, status: http.StatusAccepted,
		summary: "Send an endpoint a test event", text: "Of the type `" + testType + "`, to this endpoint only, whatever types it wants.",
		admitted: true, cost: posts,
	}, g.testEndpoint)
}

// operation is what a route adds to its handler.
type operation struct {
	id, method, path string
	scope            string
	status           int // zero: 200
	summary, text    string
	body             *huma.RequestBody // documents what the handler parses
	admitted         bool              // accepts or redelivers, so that it needs a place
	cost             cost              // of its tenant's quotas
}

// route serves an operation and documents it. Its handler's errors become problems here.
func route[I, O any](g *Gateway, api huma.API, op operation, handle func(context.Context, *I) (*O, error)) {
	documented := op.document()
	documented.Middlewares = huma.Middlewares{g.requires(op.scope)}
	documented.Metadata = map[string]any{}
	if op.admitted {
		documented.Middlewares = append(documented.Middlewares, g.admits)
		documented.Metadata[admitted] = true
	}
	if op.cost != cheap {
		documented.Middlewares = append(documented.Middlewares, g.charges(op.cost))
		documented.Metadata[charged] = true
	}
	huma.Register(api, documented, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, g.problem(ctx, err)
		}
		return out, nil
	})
	if op.body != nil { // only now: a body huma knew of, huma would read
		describe(api.OpenAPI().Paths[op.path], op.method).RequestBody = op.body
	}
}

// fail answers with a problem from within a middleware.
func (g *Gateway) fail(c huma.Context, err error) {
	g.problem(c.Context(), err).write(humagin.Unwrap(c))
}

package gateway

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/webhook"
)

// bound holds a call of a token that is confined to endpoints to those, before anything is read.
type bound func(g *Gateway, c huma.Context, who auth.Principal) error

// confined are the operations that a token may call that is confined to endpoints, and what bounds
// each. All others refuse it: a new operation does, until it stands here.
var confined = map[string]bound{
	"list-endpoints":         byItself, // reachableEndpoints
	"get-endpoint":           inPath("id"),
	"get-endpoint-stats":     inPath("id"),
	"get-endpoint-secret":    inPath("id"),
	"rotate-endpoint-secret": inPath("id"),
	"test-endpoint":          inPath("id"),
	"pause-endpoint":         inPath("id"), // and mayPause
	"resume-endpoint":        inPath("id"), // and mayResume
	"list-attempts":          inPath("id"),
	"list-undelivered":       inQuery,
	"get-event":              byItself,              // confinedEvent
	"get-event-data":         byItself,              // mayReadData
	"redeliver-event":        byItself,              // confinedEvent
	"retry-delivery-now":     inPath("endpoint_id"), // and mayOrder
}

// confine refuses a call that is not about the endpoints of a confined token, or comes too often.
func (g *Gateway) confine(c huma.Context, operation string, who auth.Principal) error {
	hold, may := confined[operation]
	if !may {
		return webhook.Errorf(api.OutOfReach, "this token is for some endpoints alone, and this is not about them")
	}
	if err := g.quotas.Portal(c.Param("tenant"), who.Subject, c.Method() != http.MethodGet); err != nil {
		return err
	}
	return hold(g, c, who)
}

// byItself is an operation whose handler keeps to the endpoints of confinedTo.
func byItself(*Gateway, huma.Context, auth.Principal) error { return nil }

// inPath is an operation about the endpoint that a part of its path names. One that is not theirs
// is answered as one that is not there.
func inPath(name string) bound {
	return func(g *Gateway, c huma.Context, who auth.Principal) error {
		return g.reaches(c.Context(), c.Param("tenant"), c.Param(name), who.Confined)
	}
}

// inQuery is an operation that lists, of one endpoint.
func inQuery(g *Gateway, c huma.Context, who auth.Principal) error {
	id, err := eitherName(c.Query("endpoint"), c.Query("endpoint_id"))
	if err != nil {
		return err
	}
	if id == "" {
		return webhook.Errorf(api.OutOfReach, "this token is for some endpoints alone: name one as endpoint")
	}
	return g.reaches(c.Context(), c.Param("tenant"), id, who.Confined)
}

// reaches refuses an endpoint that is not one of those, in the words for one that does not exist.
func (g *Gateway) reaches(ctx context.Context, tenant, id string, to auth.Confined) error {
	if to.Owner == "" { // what is not there the handler says
		if !to.Reaches(id, "") {
			return noSuchEndpoint()
		}
		return nil
	}
	e, err := g.endpoint(ctx, tenant, id)
	if err != nil {
		return err
	}
	if !to.Reaches(id, e.Owner) {
		return noSuchEndpoint()
	}
	return nil
}

// confinedTo is what the token of a request is confined to; zero: it is not.
func confinedTo(ctx context.Context) auth.Confined {
	who, _ := ctx.Value(principalKey{}).(auth.Principal)
	return who.Confined
}

// reasonFor is a reason as the one may read it who asks: owners of endpoints learn what was
// decided, and not by whom and in which words.
func reasonFor(ctx context.Context, reason string) string {
	if !confinedTo(ctx).IsConfined() {
		return reason
	}
	return webhook.WithoutPeople(reason)
}

// reachableEndpoints lists endpoints, of a confined token those that it reaches.
func (g *Gateway) reachableEndpoints(ctx context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error) {
	to := confinedTo(ctx)
	if to.Owner != "" && q.Owner != "" && q.Owner != to.Owner {
		return nil, nil
	}
	if len(to.Endpoints) == 0 {
		if to.Owner != "" {
			q.Owner = to.Owner
		}
		return g.registry.Endpoints(ctx, tenant, q)
	}
	var all []webhook.Endpoint
	for _, id := range slices.Compact(slices.Sorted(slices.Values(to.Endpoints))) {
		if id <= q.After || len(all) == q.Limit {
			continue
		}
		e, err := g.endpoint(ctx, tenant, id)
		if webhook.CodeOf(err) == webhook.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if to.Reaches(id, e.Owner) && (q.Owner == "" || e.Owner == q.Owner) {
			all = append(all, e)
		}
	}
	return all, nil
}

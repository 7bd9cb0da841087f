// Package confined holds a token that is confined to endpoints to those: which operations it may
// call, which endpoints and events it reaches, and what it learns of them. Whether a token is
// confined auth says. The gateway asks before it reads anything, and before it answers.
package confined

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/webhook"
)

// Quotas counts the calls of confined tokens; quota.Quotas does.
type Quotas interface {
	Portal(tenant, who string, acts bool) error
}

// Room is what confined tokens are held to.
type Room struct {
	// Endpoint reads one; what is not there, or could not be, is problem.NoSuch.
	Endpoint func(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
	List     func(ctx context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error)
	Quotas   Quotas
}

// bound holds a call to the endpoints of its token, before anything is read.
type bound func(r Room, c huma.Context, who auth.Principal) error

// bounds has the operations that a confined token may call, and what bounds each. All others refuse
// it: a new operation does, until it stands here.
var bounds = map[string]bound{
	"list-endpoints":         byItself, // Room.Endpoints
	"get-endpoint":           inPath("id"),
	"get-endpoint-stats":     inPath("id"),
	"get-endpoint-secret":    inPath("id"),
	"rotate-endpoint-secret": inPath("id"),
	"test-endpoint":          inPath("id"),
	"pause-endpoint":         inPath("id"), // and MayPause
	"resume-endpoint":        inPath("id"), // and MayResume
	"list-attempts":          inPath("id"),
	"list-undelivered":       inQuery,
	"get-event":              byItself,              // Room.Event
	"get-event-data":         byItself,              // Room.MayRead
	"redeliver-event":        byItself,              // Room.Event
	"retry-delivery-now":     inPath("endpoint_id"), // and MayOrder
}

// May says whether a confined token may call an operation at all.
func May(operation string) bool { return bounds[operation] != nil }

// Call refuses a call that is not about the endpoints of a confined token, or comes too often.
func (r Room) Call(c huma.Context, operation string, who auth.Principal) error {
	hold, may := bounds[operation]
	if !may {
		return webhook.Errorf(api.OutOfReach, "this token is for some endpoints alone, and this is not about them")
	}
	if err := r.Quotas.Portal(c.Param("tenant"), who.Subject, c.Method() != http.MethodGet); err != nil {
		return err
	}
	return hold(r, c, who)
}

// byItself is an operation whose handler keeps to what the token reaches.
func byItself(Room, huma.Context, auth.Principal) error { return nil }

// inPath is an operation about the endpoint that a part of its path names. One that is not theirs
// is answered as one that is not there.
func inPath(name string) bound {
	return func(r Room, c huma.Context, who auth.Principal) error {
		return r.reaches(c.Context(), c.Param("tenant"), c.Param(name), who.Confined)
	}
}

// inQuery is an operation that lists, of one endpoint.
func inQuery(r Room, c huma.Context, who auth.Principal) error {
	id, err := wellformed.OneEndpoint(c.Query("endpoint"), c.Query("endpoint_id"))
	if err != nil {
		return err
	}
	if id == "" {
		return webhook.Errorf(api.OutOfReach, "this token is for some endpoints alone: name one as endpoint")
	}
	return r.reaches(c.Context(), c.Param("tenant"), id, who.Confined)
}

// reaches refuses an endpoint that is not one of those, in the words for one that does not exist.
func (r Room) reaches(ctx context.Context, tenant, id string, to auth.Confined) error {
	var e webhook.Endpoint
	if to.Owner != "" { // otherwise the handler says what is not there
		var err error
		if e, err = r.Endpoint(ctx, tenant, id); err != nil {
			return err
		}
	}
	if !to.Reaches(id, e.Owner) {
		return problem.NoSuch("endpoint")
	}
	return nil
}

// is says whether the token of a request is confined.
func is(ctx context.Context) bool { return auth.Of(ctx).IsConfined() }

// Reason is a reason as the one may read it who asks: owners of endpoints learn what was
// decided, and not by whom and in which words.
func Reason(ctx context.Context, reason string) string {
	if !is(ctx) {
		return reason
	}
	return webhook.WithoutPeople(reason)
}

// Endpoints lists endpoints, of a confined token those that it reaches.
func (r Room) Endpoints(ctx context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error) {
	to := auth.Of(ctx).Confined
	if to.Owner != "" && q.Owner != "" && q.Owner != to.Owner {
		return nil, nil
	}
	if len(to.Endpoints) == 0 {
		q.Owner = cmp.Or(to.Owner, q.Owner)
		return r.List(ctx, tenant, q)
	}
	var all []webhook.Endpoint
	for _, id := range slices.Compact(slices.Sorted(slices.Values(to.Endpoints))) {
		if id <= q.After || len(all) == q.Limit {
			continue
		}
		e, err := r.Endpoint(ctx, tenant, id)
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

package confined_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/confined"
	"hookloop/gateway/problem"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// endpoints are a tenant's: two of shop, one of them made by an expression, and one of farm.
var endpoints = []webhook.Endpoint{
	{ID: "ep_1", Owner: "shop"},
	{ID: "ep_2", Owner: "shop", Request: webhook.RequestShape{Body: ".data.id"}},
	{ID: "ep_3", Owner: "farm"},
}

// room has those endpoints, and counts how often the list of all was read.
func room(lists *int) confined.Room {
	return confined.Room{
		Endpoint: func(_ context.Context, _, id string) (webhook.Endpoint, error) {
			if i := slices.IndexFunc(endpoints, func(e webhook.Endpoint) bool { return e.ID == id }); i >= 0 {
				return endpoints[i], nil
			}
			return webhook.Endpoint{}, problem.NoSuch("endpoint")
		},
		List: func(_ context.Context, _ string, q webhook.EndpointQuery) (found []webhook.Endpoint, _ error) {
			*lists++
			for _, e := range endpoints {
				if e.ID > q.After && (q.Owner == "" || q.Owner == e.Owner) && len(found) < q.Limit {
					found = append(found, e)
				}
			}
			return found, nil
		},
	}
}

func as(t *testing.T, c auth.Confined) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Principal{Subject: "portal:lnk_1", Confined: c})
}

func ids(all []webhook.Endpoint) string {
	var s []string
	for _, e := range all {
		s = append(s, e.ID)
	}
	return strings.Join(s, " ")
}

// TestEndpointsThatATokenReaches: its own, page by page, and of two bounds both hold.
func TestEndpointsThatATokenReaches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to   auth.Confined
		q    webhook.EndpointQuery
		want string
	}{
		"not confined":              {auth.Confined{}, webhook.EndpointQuery{}, "ep_1 ep_2 ep_3"},
		"an owner":                  {auth.Confined{Owner: "shop"}, webhook.EndpointQuery{}, "ep_1 ep_2"},
		"an owner asks for another": {auth.Confined{Owner: "shop"}, webhook.EndpointQuery{Owner: "farm"}, ""},
		"ids":                       {auth.Confined{Endpoints: []string{"ep_3", "ep_1", "ep_3", "ep_9"}}, webhook.EndpointQuery{}, "ep_1 ep_3"},
		"ids, behind the first":     {auth.Confined{Endpoints: []string{"ep_1", "ep_3"}}, webhook.EndpointQuery{After: "ep_1"}, "ep_3"},
		"ids, one to a page":        {auth.Confined{Endpoints: []string{"ep_1", "ep_3"}}, webhook.EndpointQuery{Limit: 1}, "ep_1"},
		"ids, of one owner":         {auth.Confined{Endpoints: []string{"ep_1", "ep_3"}}, webhook.EndpointQuery{Owner: "farm"}, "ep_3"},
		"both bounds":               {auth.Confined{Endpoints: []string{"ep_2", "ep_3"}, Owner: "shop"}, webhook.EndpointQuery{}, "ep_2"},
	} {
		if c.q.Limit == 0 {
			c.q.Limit = 10
		}
		found, err := room(new(int)).Endpoints(as(t, c.to), "acme", c.q)
		require.NoError(t, err, name)
		require.Equal(t, c.want, ids(found), name)
	}
}

func event() orchestrator.EventState {
	return orchestrator.EventState{
		Reason: "terminated by jane",
		Input:  workflows.EventInput{Event: webhook.Event{ID: "evt_1", Origin: &webhook.Origin{}}, Withheld: []string{"ep_9"}},
		Report: workflows.EventReport{Status: webhook.EventDelivering, Deliveries: []webhook.DeliveryReport{
			{EndpointID: "ep_1", Status: webhook.Rejected, Reason: "rejected by jane: their bill is open"},
			{EndpointID: "ep_2", Status: webhook.Delivered},
			{EndpointID: "ep_3", Status: webhook.Held, Reason: "paused by jane"},
		}},
	}
}

// TestAnEventInTheEyesOfAnOwner: their deliveries, how the event stands by those, and nothing of
// others: not who decided, not where it came from, not which endpoints did not get it.
func TestAnEventInTheEyesOfAnOwner(t *testing.T) {
	t.Parallel()
	all, lists := event(), 0
	r := room(&lists)
	seen, err := r.Event(as(t, auth.Confined{}), "acme", all)
	require.NoError(t, err)
	require.Equal(t, all, seen)
	require.Zero(t, lists, "a token that is not confined costs no question")

	seen, err = r.Event(as(t, auth.Confined{Owner: "shop"}), "acme", all)
	require.NoError(t, err)
	require.Equal(t, []webhook.DeliveryReport{
		{EndpointID: "ep_1", Status: webhook.Rejected, Reason: "rejected"}, {EndpointID: "ep_2", Status: webhook.Delivered},
	}, seen.Report.Deliveries)
	require.Equal(t, webhook.EventFailed, seen.Report.Status)
	require.Empty(t, seen.Reason)
	require.Nil(t, seen.Input.Withheld)
	require.Nil(t, seen.Input.Event.Origin)
	require.Equal(t, event(), all, "the event itself stays as it is")

	_, err = r.Event(as(t, auth.Confined{Owner: "other"}), "acme", all)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err), "an event without deliveries of theirs is none")
}

// TestAnOwnerOfManyEndpoints: each of them counts, beyond the first page of a list.
func TestAnOwnerOfManyEndpoints(t *testing.T) {
	t.Parallel()
	const many = 600
	r := confined.Room{List: func(_ context.Context, _ string, q webhook.EndpointQuery) (found []webhook.Endpoint, _ error) {
		for n := range many {
			if id := fmt.Sprintf("ep_%03d", n); id > q.After && len(found) < q.Limit {
				found = append(found, webhook.Endpoint{ID: id, Owner: "shop"})
			}
		}
		return found, nil
	}}
	e := orchestrator.EventState{Report: workflows.EventReport{Deliveries: []webhook.DeliveryReport{
		{EndpointID: "ep_000"}, {EndpointID: "ep_249"}, {EndpointID: "ep_250"}, {EndpointID: "ep_599"}, {EndpointID: "ep_600"},
	}}}
	seen, err := r.Event(as(t, auth.Confined{Owner: "shop"}), "acme", e)
	require.NoError(t, err)
	require.Equal(t, e.Report.Deliveries[:4], seen.Report.Deliveries)
}

// TestTheWholeIsForThoseWhoGetTheWhole: where an expression makes the request, what it left out is
// not the owner's.
func TestTheWholeIsForThoseWhoGetTheWhole(t *testing.T) {
	t.Parallel()
	r := room(new(int))
	require.NoError(t, r.MayRead(as(t, auth.Confined{}), "acme", event()))
	require.NoError(t, r.MayRead(as(t, auth.Confined{Owner: "shop"}), "acme", event()), "ep_1 gets it whole")
	for _, to := range []auth.Confined{{Endpoints: []string{"ep_2"}}, {Owner: "other"}} {
		require.Equal(t, api.OutOfReach, webhook.CodeOf(r.MayRead(as(t, to), "acme", event())))
	}
}

// TestWhatAnOwnerMayNotDecide: what people of the app stopped, they let go.
func TestWhatAnOwnerMayNotDecide(t *testing.T) {
	t.Parallel()
	owner, app := as(t, auth.Confined{Owner: "shop"}), as(t, auth.Confined{})
	active := webhook.Endpoint{State: webhook.EndpointActive}
	held := webhook.Endpoint{State: webhook.EndpointHeld, StateReason: "paused by portal:lnk_1"}
	own := webhook.Endpoint{State: webhook.EndpointPaused, StateReason: "paused by portal:lnk_1"}
	theirs := webhook.Endpoint{State: webhook.EndpointPaused, StateReason: "paused by jane"}
	require.NoError(t, confined.MayPause(owner, active))
	require.Equal(t, webhook.Conflict, webhook.CodeOf(confined.MayPause(owner, held)))
	require.NoError(t, confined.MayPause(app, held))
	require.NoError(t, confined.MayResume(owner, own))
	for _, e := range []webhook.Endpoint{theirs, held, active} {
		require.Equal(t, webhook.Conflict, webhook.CodeOf(confined.MayResume(owner, e)))
		require.NoError(t, confined.MayResume(app, e))
	}

	e := event()
	e.Report.Deliveries[1].Status = webhook.Retrying
	require.NoError(t, confined.MayOrder(owner, e, "ep_2"))
	require.Equal(t, webhook.Conflict, webhook.CodeOf(confined.MayOrder(owner, e, "ep_3")), "it is held")
	require.Equal(t, webhook.NotFound, webhook.CodeOf(confined.MayOrder(owner, e, "ep_9")))
	require.NoError(t, confined.MayOrder(app, e, "ep_9"), "others are answered by the handler")

	require.Equal(t, "rejected", confined.Reason(owner, "rejected by jane: a secret"))
	require.Equal(t, "rejected by jane: a secret", confined.Reason(app, "rejected by jane: a secret"))
}

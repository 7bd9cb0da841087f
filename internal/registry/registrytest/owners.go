package registrytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func listOfOwner(t *testing.T, s Store) {
	r := open(t, s)
	owners := []string{"a", "", "b", "a", "A", "a%", "a"}
	for i, owner := range owners {
		e := endpoint(i + 1)
		e.Owner = owner
		create(t, r, e)
	}
	listed := func(q webhook.EndpointQuery) (all []string) {
		t.Helper()
		found := must(r.Endpoints(t.Context(), tenant, q))(t)
		for _, e := range found {
			all = append(all, e.ID)
		}
		return all
	}
	require.Equal(t, ids(1, 4), listed(webhook.EndpointQuery{Owner: "a", Limit: 2}))
	require.Equal(t, ids(7), listed(webhook.EndpointQuery{Owner: "a", After: id(4), Limit: 2}))
	require.Equal(t, ids(6), listed(webhook.EndpointQuery{Owner: "a%", Limit: 2}))
	require.Empty(t, listed(webhook.EndpointQuery{Owner: "c", Limit: 2}))
	require.Len(t, listed(webhook.EndpointQuery{Limit: 10}), len(owners))
	changed(t, r, 7, func(e *webhook.Endpoint) { e.Owner = "c" })
	require.Equal(t, ids(7), listed(webhook.EndpointQuery{Owner: "c", Limit: 2}))
}

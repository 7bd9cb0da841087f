package registrytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// createdOnce makes one thing for a key, until the key is forgotten.
func createdOnce(t *testing.T, s Store) {
	r := open(t, s)
	once := func(n int, key, body string, at time.Time) webhook.Creation {
		t.Helper()
		made := must(r.CreateEndpointOnce(t.Context(), endpoint(n, "a"), webhook.NewCreation("endpoint", key, []byte(body), id(n), at)))(t)
		return made
	}
	first := once(1, "k", "body", born)
	require.Equal(t, webhook.NewCreation("endpoint", "k", []byte("body"), id(1), born), first)
	require.Equal(t, first, once(2, "k", "body", born.Add(time.Hour)))
	require.Equal(t, first, once(3, "k", "another", born), "the caller compares the digest")
	require.Equal(t, id(4), once(4, "l", "body", born).ID)
	requireMatch(t, r, "a", 1, 4)

	_, err := r.CreateEndpointOnce(t.Context(), endpoint(1), webhook.NewCreation("endpoint", "m", nil, id(1), born))
	requireCode(t, webhook.Conflict, err)
	require.Equal(t, id(5), once(5, "m", "body", born).ID, "what was not made is not remembered")

	src := source(1)
	made := must(r.CreateSourceOnce(t.Context(), src, webhook.NewCreation("source", "k", []byte("body"), src.ID, born)))(t)
	require.Equal(t, src.ID, made.ID, "a key may make one of each kind")
	require.Equal(t, made, must(r.CreateSourceOnce(t.Context(), source(2), webhook.NewCreation("source", "k", []byte("body"), "src_2", born)))(t))
	for name, want := range map[string]bool{"k": true, "none": false} {
		require.Equal(t, want, must(r.Created(t.Context(), tenant, webhook.NewCreation("source", name, nil, "src_3", born)))(t))
	}

	require.NoError(t, r.DeleteEndpoint(t.Context(), tenant, id(1)))
	require.Equal(t, first, once(6, "k", "body", born), "also of what has gone")
	require.Equal(t, id(7), once(7, "k", "body", first.Ends()).ID, "it has been forgotten")
}

// createdOnceRace lets many come at the same moment with one key: all get the same endpoint.
func createdOnceRace(t *testing.T, s Store) {
	r := open(t, s)
	var all sync.WaitGroup
	made := make([]webhook.Creation, 20)
	errs := make([]error, len(made))
	for n := range made {
		all.Go(func() {
			made[n], errs[n] = r.CreateEndpointOnce(t.Context(), endpoint(n, "a"), webhook.NewCreation("endpoint", "k", []byte("b"), id(n), born))
		})
	}
	all.Wait()
	for n := range made {
		require.NoError(t, errs[n])
		require.Equal(t, made[0], made[n], fmt.Sprint(n))
	}
	require.Equal(t, []string{made[0].ID}, must(r.Match(t.Context(), tenant, "a"))(t).IDs)
}

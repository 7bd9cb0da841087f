package registrytest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// together runs do(0) to do(n-1) at once and gives back their errors.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

func concurrentUpdates(t *testing.T, s Store) {
	sealer := NewSealer(t)
	both := []Registry{openWith(t, s, sealer), openWith(t, s, sealer)} // two processes, as it were
	create(t, both[0], endpoint(1, "type.first"))

	const n = 50
	want := []string{"type.first"}
	for i := range n {
		want = append(want, fmt.Sprintf("type.n%02d", i))
	}
	require.Empty(t, together(n, func(i int) error {
		_, err := both[i%2].UpdateEndpoint(t.Context(), tenant, id(1), func(e *webhook.Endpoint) error {
			e.EventTypes = append(e.EventTypes, want[i+1])
			return nil
		})
		return err
	}))

	got := must(both[0].Endpoint(t.Context(), tenant, id(1)))(t)
	require.ElementsMatch(t, want, got.EventTypes)
	require.Equal(t, n+1, got.Version)
	for _, eventType := range want {
		requireMatch(t, both[1], eventType, 1)
	}
}

// concurrentCreates lets many want the same id: one gets it.
func concurrentCreates(t *testing.T, s Store) {
	r := open(t, s)
	const n = 20
	refused := together(n, func(int) error { return r.CreateEndpoint(t.Context(), endpoint(1)) })
	require.Len(t, refused, n-1)
	for _, err := range refused {
		requireCode(t, webhook.Conflict, err)
	}
	requireMatch(t, r, "a", 1)
}

// concurrentLimit lets two processes, as it were, compete for a tenant's last places.
func concurrentLimit(t *testing.T, s Store) {
	sealer := NewSealer(t)
	both := []Registry{openWith(t, s, sealer), openWith(t, s, sealer)}
	const left = 5
	for n := range registry.MaxEndpoints - left {
		create(t, both[0], endpoint(n, "a"))
	}
	for n := range registry.MaxSources - left {
		require.NoError(t, both[0].CreateSource(t.Context(), source(n)))
	}
	for _, add := range []func(r Registry, n int) error{
		func(r Registry, n int) error { return r.CreateEndpoint(t.Context(), endpoint(n, "a")) },
		func(r Registry, n int) error { return r.CreateSource(t.Context(), source(n)) },
	} {
		refused := together(4*left, func(i int) error { return add(both[i%2], registry.MaxEndpoints+i) })
		require.Len(t, refused, 3*left)
		for _, err := range refused {
			requireCode(t, webhook.Conflict, err)
		}
	}
	for tenant, want := range map[string]int{"acme": registry.MaxEndpoints, "nobody": 0} {
		n := must(both[0].CountEndpoints(t.Context(), tenant))(t)
		require.Equal(t, want, n)
		require.Equal(t, want, must(both[0].CountSources(t.Context(), tenant))(t))
	}
}

func readYourWrites(t *testing.T, s Store) {
	r := open(t, s)
	require.Empty(t, together(16, func(i int) error {
		for round := range 5 {
			e := endpoint(i*100+round, fmt.Sprintf("type.n%d", i))
			if err := r.CreateEndpoint(t.Context(), e); err != nil {
				return err
			}
			if err := sees(t, r, e, round+1); err != nil {
				return err
			}
		}
		return nil
	}))
}

// sees wants e, just written, as the last of n that match its event type.
func sees(t *testing.T, r Registry, e webhook.Endpoint, n int) error {
	matched, err := r.Match(t.Context(), tenant, e.EventTypes[0])
	if err != nil {
		return err
	}
	if len(matched.IDs) != n || matched.IDs[n-1] != e.ID {
		return fmt.Errorf("%s just written, matched %v", e.ID, matched)
	}
	_, err = r.Endpoint(t.Context(), tenant, e.ID)
	return err
}

// openTwice lets two processes, as it were, come to an empty store at the same moment and then see
// each other's writes.
func openTwice(t *testing.T, s Store) {
	sealer := NewSealer(t)
	all := make([]Registry, 4)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = s.Open(t, sealer) })
	}
	wg.Wait()
	for i, r := range all {
		require.NotNil(t, r)
		create(t, r, endpoint(i, "a"))
		for _, other := range all {
			require.Len(t, must(other.Match(t.Context(), tenant, "a"))(t).IDs, i+1)
		}
	}
	for i, r := range all {
		require.NoError(t, r.Close())
		if i+1 < len(all) {
			requireMatch(t, all[i+1], "a", 0, 1, 2, 3)
		}
	}
}

func cancelled(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	require.ErrorIs(t, r.CreateEndpoint(ctx, endpoint(2)), context.Canceled)
	_, err := r.Endpoint(ctx, tenant, id(1))
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Match(ctx, tenant, "a")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Ping(ctx), context.Canceled)
	requireMatch(t, r, "a", 1)
}

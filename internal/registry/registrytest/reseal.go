package registrytest

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

func unheard(registry.Resealed) {}

// resealed lets the old key go: what it sealed opens with the new one alone, and is as it was.
func resealed(t *testing.T, s Store) {
	old := must(keyring.New())(t)
	first := s.Open(t, sealerOf(t, old))
	want := []webhook.Endpoint{full(1), endpoint(2)}
	want[0].Headers["Authorization"] = headerOfTheirs
	create(t, first, want...)
	require.NoError(t, first.CreateSource(t.Context(), fullSource(1)))
	require.NoError(t, first.Close())

	both, next := addKey(t, old)
	second := s.Open(t, sealerOf(t, both))
	heard := registry.Resealed{}
	done := must(second.Reseal(t.Context(), func(r registry.Resealed) { heard = r }))(t)
	require.Equal(t, registry.Resealed{Anew: 3}, done)
	require.Equal(t, done, heard)
	require.Equal(t, registry.Resealed{Already: 3}, must(second.Reseal(t.Context(), unheard))(t))
	require.NoError(t, second.Close())

	r := openWith(t, s, sealerOf(t, next))
	said := logged(t, r, webhook.AuditQuery{Kind: webhook.AuditKeyChanged})
	require.Len(t, said, 1)
	require.Contains(t, said[0].Detail, "3 endpoints and sources")
	for _, e := range want {
		got := must(r.Endpoint(t.Context(), tenant, e.ID))(t)
		require.Equal(t, e, got, "no other version of it either")
	}
	got := must(r.Source(t.Context(), tenant, sourceID(1)))(t)
	require.Equal(t, fullSource(1), got)
}

// resealedBeside loses nothing that is written meanwhile.
func resealedBeside(t *testing.T, s Store) {
	const many = 30
	old := must(keyring.New())(t)
	first := s.Open(t, sealerOf(t, old))
	var want []webhook.Endpoint
	for n := range many {
		want = append(want, full(n))
	}
	create(t, first, want...)
	require.NoError(t, first.Close())
	both, next := addKey(t, old)
	r, writer := s.Open(t, sealerOf(t, both)), openWith(t, s, sealerOf(t, both))

	written := make(chan error, 1)
	go func() {
		for n := range 5 * many {
			_, err := writer.UpdateEndpoint(t.Context(), tenant, id(n%many), func(e *webhook.Endpoint) error {
				e.Description = strconv.Itoa(n / many)
				return nil
			})
			if err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	done := must(r.Reseal(t.Context(), unheard))(t)
	require.Equal(t, many, done.Anew+done.Already)
	require.NoError(t, <-written)
	require.NoError(t, r.Close())

	after := openWith(t, s, sealerOf(t, next))
	for n := range many {
		got := must(after.Endpoint(t.Context(), tenant, id(n)))(t)
		require.Equal(t, "4", got.Description)
		require.Equal(t, want[n].Secrets, got.Secrets)
	}
}

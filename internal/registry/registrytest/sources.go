package registrytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

func sourceID(n int) string { return fmt.Sprintf("src_01jd%022d", n) }

func source(n int) webhook.Source {
	return webhook.Source{
		ID: sourceID(n), Tenant: tenant, Provider: "github", Config: signature.Hide(`{"secrets":["s3cr3t-of-theirs"]}`),
		Version: 1, CreatedAt: born, UpdatedAt: born,
	}
}

func fullSource(n int) webhook.Source {
	s := source(n)
	s.Name, s.TypePrefix, s.Application = "Ünïcødé \"x\" 😀", "crm", "crm"
	s.Echo = webhook.EchoPaths{Key: ".id | tostring", Value: `{"a": .b, "ü": "\n'"}`}
	s.Version, s.UpdatedAt = 3, born.Add(time.Hour)
	return s
}

func sourceRoundTrip(t *testing.T, s Store) {
	r := open(t, s)
	requireFull(t, fullSource(1))
	for n, want := range []webhook.Source{source(0), fullSource(1)} {
		require.NoError(t, r.CreateSource(t.Context(), want))
		require.Equal(t, want, must(r.Source(t.Context(), tenant, sourceID(n)))(t))
		require.Equal(t, want, must(r.SourceByID(t.Context(), sourceID(n)))(t))
	}
	require.Equal(t, []webhook.Source{source(0), fullSource(1)}, must(r.Sources(t.Context(), tenant, "", 10))(t))
	require.Equal(t, []webhook.Source{fullSource(1)}, must(r.Sources(t.Context(), tenant, sourceID(0), 10))(t))
	require.Empty(t, must(r.Sources(t.Context(), "other", "", 10))(t))
}

func sourceNotFound(t *testing.T, s Store) {
	r := open(t, s)
	require.NoError(t, r.CreateSource(t.Context(), source(1)))
	_, err := r.Source(t.Context(), "other", sourceID(1))
	requireCode(t, webhook.NotFound, err)
	_, err = r.SourceByID(t.Context(), sourceID(2))
	requireCode(t, webhook.NotFound, err)
	_, err = r.UpdateSource(t.Context(), tenant, sourceID(2), func(*webhook.Source) error { return nil })
	requireCode(t, webhook.NotFound, err)
	requireCode(t, webhook.NotFound, r.DeleteSource(t.Context(), "other", sourceID(1)))
	requireCode(t, webhook.Conflict, r.CreateSource(t.Context(), source(1)))
	elsewhere := source(1)
	elsewhere.Tenant = "other"
	requireCode(t, webhook.Conflict, r.CreateSource(t.Context(), elsewhere))
}

func sourceUpdate(t *testing.T, s Store) {
	r := open(t, s)
	require.NoError(t, r.CreateSource(t.Context(), source(1)))
	refused := webhook.Invalidf("name", "is not good")
	_, err := r.UpdateSource(t.Context(), tenant, sourceID(1), func(s *webhook.Source) error {
		s.Name = "never"
		return refused
	})
	require.ErrorIs(t, err, refused)
	got := must(r.UpdateSource(t.Context(), tenant, sourceID(1), func(s *webhook.Source) error { *s = fullSource(9); return nil }))(t)
	want := fullSource(1)
	want.Version = 2
	require.Equal(t, want, got, "neither id nor birth nor version are the change's to set")
	require.Equal(t, want, must(r.SourceByID(t.Context(), sourceID(1)))(t))

	require.NoError(t, r.DeleteSource(t.Context(), tenant, sourceID(1)))
	_, err = r.SourceByID(t.Context(), sourceID(1))
	requireCode(t, webhook.NotFound, err)
}

func sourceSealed(t *testing.T, s Store) {
	sealer := NewSealer(t)
	r := s.Open(t, sealer)
	require.NoError(t, r.CreateSource(t.Context(), source(1)))
	require.NoError(t, r.Close())
	require.NotContains(t, string(s.Raw(t)), "s3cr3t-of-theirs")
	_, err := openWith(t, s, NewSealer(t)).SourceByID(t.Context(), sourceID(1))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cr3t-of-theirs")
}

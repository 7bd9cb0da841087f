package registrytest

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func bodies(t *testing.T, s Store) {
	r := open(t, s)
	large := bytes.Repeat([]byte{0, 0xff, 'x'}, 1<<20)
	body := func(tenant, id, digest string, sealed []byte) webhook.StoredBody {
		return webhook.StoredBody{Tenant: tenant, EventID: id, Digest: digest, Sealed: sealed, CreatedAt: born}
	}
	for _, b := range []webhook.StoredBody{
		body("b", "evt_1", "d", large), body("a", "evt_2", "d", []byte("2")), body("a", "evt_1", "d", []byte("1")), body("a", "evt_1", "e", []byte("1e")),
	} {
		require.NoError(t, r.PutBody(t.Context(), b))
	}
	again := body("a", "evt_1", "d", []byte("another"))
	again.CreatedAt = born.Add(time.Hour)
	require.NoError(t, r.PutBody(t.Context(), again))
	require.True(t, bytes.Equal(large, must(r.Body(t.Context(), "b", "evt_1", "d"))(t)))
	require.Equal(t, "1", string(must(r.Body(t.Context(), "a", "evt_1", "d"))(t)), "the first stays")

	list := func(before time.Time, after webhook.StoredBody, limit int) (names []string) {
		all := must(r.Bodies(t.Context(), before, after, limit))(t)
		for _, b := range all {
			require.Equal(t, born, b.CreatedAt)
			names = append(names, b.Tenant+" "+b.EventID+" "+b.Digest)
		}
		return names
	}
	later := born.Add(time.Second)
	require.Equal(t, []string{"a evt_1 d", "a evt_1 e", "a evt_2 d"}, list(later, webhook.StoredBody{}, 3))
	require.Equal(t, []string{"a evt_2 d", "b evt_1 d"}, list(later, body("a", "evt_1", "e", nil), 3))
	require.Empty(t, list(born, webhook.StoredBody{}, 3))

	require.NoError(t, r.DeleteBody(t.Context(), "a", "evt_1"))
	require.NoError(t, r.DeleteBody(t.Context(), "a", "evt_none"))
	_, err := r.Body(t.Context(), "a", "evt_1", "d")
	requireCode(t, webhook.NotFound, err)
	require.Equal(t, []string{"a evt_2 d", "b evt_1 d"}, list(later, webhook.StoredBody{}, 9))
}

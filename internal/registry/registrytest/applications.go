package registrytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func withheld(t *testing.T, s Store) {
	r := open(t, s)
	own, asks, other := endpoint(1), endpoint(2), endpoint(3)
	own.Application, asks.Application, other.Application = "crm", "crm", "shop"
	asks.EchoBack = true
	create(t, r, own, asks, other, endpoint(4))
	for application, want := range map[string][]string{"crm": ids(1), "shop": ids(3), "none": nil, "": nil} {
		require.Equal(t, want, must(r.Withheld(t.Context(), tenant, application))(t), application)
	}
	keeps(t, r, func(e *webhook.Endpoint) {
		e.EchoBack, e.Echo = true, webhook.EchoPaths{Key: ".data.id", Value: ".data"}
		e.Request = webhook.RequestShape{Method: "PATCH", Path: `["a", .data.id]`, Body: ".data"}
	})
	require.Empty(t, must(r.Withheld(t.Context(), tenant, "crm"))(t))
}

func bindings(t *testing.T, s Store) {
	r := open(t, s)
	bind := func(sourceID, content string, now time.Time) string {
		return must(r.BindOnce(t.Context(), sourceID, "transmission 1", content, now.Add(time.Hour), now))(t)
	}
	require.Equal(t, "a", bind("src_1", "a", born))
	require.Equal(t, "a", bind("src_1", "b", born), "the first content holds the name")
	require.Equal(t, "a", bind("src_1", "a", born))
	require.Equal(t, "b", bind("src_2", "b", born), "of each source")
	require.Equal(t, "b", bind("src_1", "b", born.Add(time.Hour)), "for as long as was asked")
}

package registrytest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func redelivered(t *testing.T, s Store) {
	r := open(t, s)
	note := func(tenant, event string, n int) {
		require.NoError(t, r.NoteRedelivery(t.Context(), tenant, event, id(n), born))
	}
	note(tenant, "evt_1", 2)
	note(tenant, "evt_1", 1)
	note(tenant, "evt_1", 2)
	note("other", "evt_1", 3)
	note(tenant, "evt_2", 4)
	requireRedelivered(t, r, "evt_1", 1, 2)
	requireRedelivered(t, r, "evt_2", 4)
	requireRedelivered(t, r, "evt_3")

	for n := range 3 { // what is too old goes, a few at a time
		require.NoError(t, r.NoteRedelivery(t.Context(), "later", fmt.Sprint("evt_", n), id(9), born.Add(webhook.RememberArrivals)))
	}
	requireRedelivered(t, r, "evt_1")
}

func requireRedelivered(t *testing.T, r Registry, event string, want ...int) {
	t.Helper()
	require.Equal(t, ids(want...), must(r.Redelivered(t.Context(), tenant, event))(t))
}

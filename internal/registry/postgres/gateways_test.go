package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/registrytest"
)

// TestGateways: each that serves counts once, for as long as it says so.
func TestGateways(t *testing.T) {
	t.Parallel()
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	r := d.registry(t, sealer)
	for i, id := range []string{"a", "b", "c"} {
		for range 2 {
			n, err := r.Gateways(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, i+1, n)
		}
	}
	_, err := d.connect(t).ExecContext(t.Context(), "UPDATE gateways SET seen_at = seen_at - 31000000 WHERE id <> 'c'")
	require.NoError(t, err)
	n, err := r.Gateways(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

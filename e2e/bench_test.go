package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBench runs a small benchmark of each kind: its figures are nobody's promise here, but nothing may be
// missing.
func TestBench(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := hookloop(t, "bench", "--events", "60", "--clients", "4", "--bare", "--json")
	require.Equal(t, 0, code, stderr)
	var r struct {
		Events, Missing, Duplicates int
		Ratio                       float64
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &r), stdout)
	require.Equal(t, []int{60, 0, 0}, []int{r.Events, r.Missing, r.Duplicates})
	require.Positive(t, r.Ratio)
}

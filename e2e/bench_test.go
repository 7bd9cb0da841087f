package e2e

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBench runs a small benchmark of each kind: its figures promise nothing here, but nothing
// may be missing.
func TestBench(t *testing.T) {
	t.Parallel()
	stdout := measure(t, "--events", "60", "--clients", "4", "--bare", "--json")
	var r struct {
		Events, Missing, Duplicates int
		Ratio                       float64
	}
	require.NoError(t, json.Unmarshal(stdout, &r), "%s", stdout)
	require.Equal(t, []int{60, 0, 0}, []int{r.Events, r.Missing, r.Duplicates})
	require.Positive(t, r.Ratio)
}

// TestBenchPaced measures a build in a process of its own, for a moment.
func TestBenchPaced(t *testing.T) {
	t.Parallel()
	stdout := measure(t, "--latency", "10ms", "--rate", "5", "--duration", "1s", "--endpoints", "2", "--json")
	var r struct {
		Latency struct {
			Rows []struct{ Events, Missing, Duplicates int }
		}
	}
	require.NoError(t, json.Unmarshal(stdout, &r), "%s", stdout)
	require.Len(t, r.Latency.Rows, 2)
	for _, row := range r.Latency.Rows {
		require.Equal(t, []int{5, 0, 0}, []int{row.Events, row.Missing, row.Duplicates})
	}
}

// measure runs a benchmark to its end, which may be minutes away, and gives what it printed.
func measure(t *testing.T, args ...string) []byte {
	t.Helper()
	bench := exec.CommandContext(t.Context(), binary, append([]string{"bench"}, args...)...)
	bench.Stderr = t.Output()
	out, err := bench.Output()
	require.NoError(t, err)
	return out
}

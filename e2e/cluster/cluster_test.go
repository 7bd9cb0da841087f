package cluster

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPostgresIsAsInCompose: what tests of cut cables show holds for docker-compose.yml.
func TestPostgresIsAsInCompose(t *testing.T) {
	t.Parallel()
	compose, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	require.Contains(t, string(compose), "-c, "+strings.Join(endsDeadIn30s, ", -c, ")+"]")
}

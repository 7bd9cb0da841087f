package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoEmbed: what production runs links no Temporal server and no UI, and says so where they are
// needed.
func TestNoEmbed(t *testing.T) {
	t.Parallel()
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "noembed", ".").Output()
	require.NoError(t, err)
	for dep := range strings.Lines(string(deps)) {
		for _, engine := range []string{"go.temporal.io/server", "github.com/temporalio/ui-server", "hookloop/internal/engine"} {
			require.False(t, strings.HasPrefix(dep, engine), dep)
		}
	}
	binary := filepath.Join(t.TempDir(), "hookloop")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "noembed", "-ldflags", "-s -w", "-o", binary, ".")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	info, err := os.Stat(binary)
	require.NoError(t, err)
	t.Logf("stripped: %.1f MiB", float64(info.Size())/(1<<20))
	for _, args := range [][]string{{"dev"}, {"dev", "--listen", "127.0.0.1:0", "--json"}, {"bench", "--bare"}} {
		out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
		exit, ok := errors.AsType[*exec.ExitError](err)
		require.True(t, ok, "%v: %v", args, err)
		require.Equal(t, 1, exit.ExitCode())
		require.Equal(t, "hookloop: this binary was built without the embedded Temporal (-tags noembed), and "+args[0]+" needs it\n", string(out))
	}
}

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/cluster"
)

// TestReadmeInProduction runs README's commands for processes as they stand, in an empty folder, up
// to a delivered event. Only what is another's or taken is put in its place: Temporal, PostgreSQL,
// ports. README's commands for containers are the header's of docker-compose.yml: TestDocker runs
// them.
func TestReadmeInProduction(t *testing.T) {
	t.Parallel()
	c := startCluster(t, cluster.Config{Roles: []string{"worker"}})
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	script := string(regexp.MustCompile("(?ms)^export HOOKLOOP_REGISTRY=.*?^```").Find(readme))
	require.NotEmpty(t, script)
	for _, change := range [][2]string{
		{`HOOKLOOP_REGISTRY=\S+`, "HOOKLOOP_REGISTRY='" + c.Postgres.NewDatabase(t) + "'"},
		{`TEMPORAL_ADDRESS=\S+`, "TEMPORAL_ADDRESS=" + c.Temporal.Address},
		{`TEMPORAL_NAMESPACE=\S+`, "TEMPORAL_NAMESPACE=readme"}, // the cluster's worker has other keys
		{`127\.0\.0\.1:9000`, cluster.FreeAddress(t)},
		{"```", ""},
	} {
		changed := regexp.MustCompile(change[0]).ReplaceAllLiteralString(script, change[1])
		require.NotEqual(t, script, changed, change[0])
		script = changed
	}
	ctx, cancel := withPatience(t)
	defer cancel()
	// What the commands leave in the background ends with them.
	sh := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", "trap 'kill $(jobs -p); wait' EXIT\n"+script)
	sh.SysProcAttr, sh.WaitDelay = &syscall.SysProcAttr{Setpgid: true}, patience
	sh.Cancel = func() error { return syscall.Kill(-sh.Process.Pid, syscall.SIGTERM) }
	sh.Dir = t.TempDir()
	sh.Env = []string{
		"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "HOME=" + sh.Dir,
		"HOOKLOOP_LISTEN=" + cluster.FreeAddress(t), "HOOKLOOP_OPS_LISTEN=" + cluster.FreeAddress(t),
	}
	said, err := sh.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "delivered")
	require.Contains(t, string(said), "✓ verified")
}

package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/engine"
	"hookloop/workflows"
)

// TestServe runs gateway and worker as in production: against a Temporal that is somewhere else,
// configured by environment, with the address guard up.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := engine.Start(t.Context(), engine.Config{
		Dir: dir, Listen: "127.0.0.1:0", SearchAttributes: workflows.SearchAttributes(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop() })
	const secret = "a secret of this test, 32 bytes or more"
	env := []string{
		"HOME=" + dir, "HOOKLOOP_JWT_SECRET=" + secret, "HOOKLOOP_LISTEN=127.0.0.1:0", "HOOKLOOP_OPS_LISTEN=127.0.0.1:0",
		"HOOKLOOP_REGISTRY=" + filepath.Join(dir, "registry.db"),
		"HOOKLOOP_REGISTRY_KEY_FILE=" + filepath.Join(dir, "registry.key"),
		"TEMPORAL_ADDRESS=" + e.HostPort(),
	}
	p := serve(t, env)
	mint := exec.CommandContext(t.Context(), binary, "token")
	mint.Env = env
	token, err := mint.Output()
	require.NoError(t, err)
	p.Token, p.Tenant = strings.TrimSpace(string(token)), "acme"

	status, body := app{p}.try(t.Context(), "POST", "/endpoints", `{"url":"http://127.0.0.1:9/"}`, nil)
	require.Equal(t, 422, status, "loopback is refused outside dev: %s", body)
	done := app{p}.ended(t, app{p}.post(t, `{"type":"contact.updated","data":1}`).ID)
	require.Equal(t, "unmatched", done.Status)
	require.Equal(t, 0, p.kill(syscall.SIGTERM), p.stderr.String())
}

// serve runs `hookloop serve` until the test ends.
func serve(t *testing.T, env []string) *process {
	t.Helper()
	return runRole(t, "serve", env)
}

// runRole runs a process of the production shape until the test ends. Gateway is where it listens,
// Metrics where it tells how it is.
func runRole(t *testing.T, role string, env []string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), binary, role), done: make(chan struct{}), stderr: &output{}}
	p.cmd.Env = env
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.kill(syscall.SIGKILL) })
	lines := bufio.NewReader(stdout)
	says := func() string {
		line, err := lines.ReadString('\n')
		require.NoError(t, err, p.stderr.String())
		_, where, _ := strings.Cut(line, " on ")
		return strings.TrimSpace(where)
	}
	p.Gateway = says()
	if p.Metrics = p.Gateway; role != "worker" {
		p.Metrics = says()
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p
}

func TestServeSaysAllThatIsMissing(t *testing.T) {
	t.Parallel()
	c := exec.CommandContext(t.Context(), binary, "serve")
	c.Env = []string{"HOME=" + t.TempDir()}
	out, err := c.CombinedOutput()
	require.Error(t, err)
	for _, name := range []string{"HOOKLOOP_JWT_SECRET", "HOOKLOOP_REGISTRY", "HOOKLOOP_REGISTRY_KEY_FILE"} {
		require.Contains(t, string(out), name)
	}
}

// TestDrain stops the process while an endpoint takes its time: the attempt under way finishes, is
// recorded, and is not made again.
func TestDrain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	s, _ := app{p}.listen(t, endpointtest.Config{Delay: 2 * time.Second}, "")
	e := app{p}.post(t, `{"type":"contact.updated","data":1}`)
	receipts(t, s, 1)
	require.Equal(t, 0, p.kill(syscall.SIGINT), p.stderr.String())
	p = start(t, data)
	require.Equal(t, "delivered", app{p}.ended(t, e.ID).Status)
	require.Len(t, s.Receipts(), 1)
}

// TestLostKey: a registry without its key is refused, not opened with a new one.
func TestLostKey(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	require.Equal(t, 0, start(t, data).kill(syscall.SIGTERM))
	require.NoError(t, os.Remove(filepath.Join(data, "registry.key")))
	refused(t, data, "registry.key is missing")
	require.NoFileExists(t, filepath.Join(data, "registry.key"))
}

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/engine"
	"hookloop/workflows"
)

// ask makes a request that names a host.
func ask(t *testing.T, url, host, token string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	if host != "" {
		r.Host = host
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

// TestDevIsForThisMachine: a web page that has pointed its name at 127.0.0.1 gets nothing, nothing
// listens elsewhere, and the token is soon worth nothing.
func TestDevIsForThisMachine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--ops-listen", "127.0.0.1:0")
	for _, url := range []string{p.Gateway + "/readyz", p.Gateway + "/v1/tenants/demo/events", p.UI + "/", p.UI + "/api/v1/namespaces"} {
		status, body := ask(t, url, "", p.Token)
		require.Equal(t, 200, status, "%s: %s", url, body)
		status, _ = ask(t, url, "evil.example", p.Token)
		require.Equal(t, 403, status, url)
	}
	status, _ := ask(t, p.Gateway+"/metrics", "", "")
	require.Equal(t, 404, status, "it has an address of its own")

	claims := func(token string) (c struct{ Iat, Exp int64 }) {
		part := strings.Split(token, ".")
		require.Len(t, part, 3)
		raw, err := base64.RawURLEncoding.DecodeString(part[1])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &c))
		return c
	}
	first := claims(p.Token)
	require.LessOrEqual(t, first.Exp-first.Iat, int64((12 * time.Hour).Seconds()))
	require.Zero(t, p.kill(syscall.SIGTERM), p.stderr.String())
	// iat counts whole seconds: only in a later one can a token be told from its predecessor.
	require.Eventually(t, func() bool { return time.Now().Unix() > first.Iat }, time.Minute, 10*time.Millisecond)
	require.Greater(t, claims(start(t, data).Token).Iat, first.Iat, "made anew")

	for _, flag := range []string{"--listen", "--ops-listen", "--ui-listen", "--temporal-listen"} {
		_, stderr, code := hookloop(t, "dev", "--data", filepath.Join(t.TempDir(), "data"), flag, "0.0.0.0:0")
		require.Equal(t, 1, code, flag)
		require.Contains(t, stderr, "0.0.0.0:0")
	}
}

// TestMetricsAreApart: in production, too, and an ingest_url is where the request arrived.
func TestMetricsAreApart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := engine.Start(t.Context(), engine.Config{
		Dir: dir, Listen: "127.0.0.1:0", SearchAttributes: workflows.SearchAttributes(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop() })
	env := []string{
		"HOME=" + dir, "HOOKLOOP_JWT_SECRET=a secret of this test, 32 bytes or more", "HOOKLOOP_LISTEN=127.0.0.1:0", "HOOKLOOP_OPS_LISTEN=127.0.0.1:0",
		"HOOKLOOP_REGISTRY=" + filepath.Join(dir, "registry.db"), "HOOKLOOP_REGISTRY_KEY_FILE=" + filepath.Join(dir, "registry.key"),
		"TEMPORAL_ADDRESS=" + e.HostPort(),
	}
	p := serve(t, env)
	status, _ := ask(t, p.Gateway+"/metrics", "", "")
	require.Equal(t, 404, status)
	status, _ = ask(t, p.Gateway+"/readyz", "", "")
	require.Equal(t, 200, status)
	status, body := ask(t, p.Metrics+"/metrics", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, "hookloop_events_accepted_total")

	mint := exec.CommandContext(t.Context(), binary, "token")
	mint.Env = env
	token, err := mint.Output()
	require.NoError(t, err)
	p.Token, p.Tenant = strings.TrimSpace(string(token)), "acme"
	app{p}.try(t.Context(), "POST", "/sources", `{"provider":"github","config":{"secrets":["sssssssss"]}}`, nil)
	status, body = ask(t, p.Gateway+"/v1/tenants/acme/sources", "evil.example", p.Token)
	require.Equal(t, 200, status)
	require.Contains(t, body, p.Gateway+"/in/src_")
	require.NotContains(t, body, "evil")
}

package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/temporalio/ui-server/v2/plugins/fs_config_provider"
	uiserver "github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/server_options"
	"go.yaml.in/yaml/v3"

	"hookloop/internal/engine"
	"hookloop/internal/npmtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestComposePanel approves from the panel in a Temporal UI that runs elsewhere: with the settings
// of its image, those that docker-compose.yml adds, and `hookloop ui` in front of it.
func TestComposePanel(t *testing.T) {
	operator := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	dir := t.TempDir()
	e, err := engine.Start(t.Context(), engine.Config{Dir: dir, Listen: "127.0.0.1:0", SearchAttributes: workflows.SearchAttributes()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop() })
	front := freeAddress(t)
	env := []string{
		"HOME=" + dir, "HOOKLOOP_JWT_SECRET=a secret of this test, 32 bytes or more", "HOOKLOOP_LISTEN=127.0.0.1:0", "HOOKLOOP_OPS_LISTEN=127.0.0.1:0",
		"HOOKLOOP_REGISTRY=" + filepath.Join(dir, "registry.db"), "HOOKLOOP_REGISTRY_KEY_FILE=" + filepath.Join(dir, "registry.key"),
		"HOOKLOOP_ALLOW_NETWORKS=127.0.0.0/8", "HOOKLOOP_UI_ORIGINS=http://" + front, "TEMPORAL_ADDRESS=" + e.HostPort(),
	}
	p := serve(t, env)
	p.Tenant, p.Token = "acme", strings.TrimSpace(run(t, env, "token", "--tenant", "acme"))
	a := app{p}
	s, broken, ids := a.broken(t)

	upstream := composeUI(t, e.HostPort(), p.Gateway)
	ui := exec.CommandContext(t.Context(), binary, "ui", "--listen", front, "--upstream", upstream, "--panel", p.Gateway+"/console/panel")
	ui.Stderr = t.Output()
	require.NoError(t, ui.Start())
	t.Cleanup(func() { _ = ui.Process.Kill(); _ = ui.Wait() })
	eventually(t, "the UI answers", func() bool { return answers(t, "http://"+front+"/healthz") })
	var link struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(run(t, append(env, "HOOKLOOP_TOKEN="+p.Token), "console", "--gateway", p.Gateway, "--tenant", "acme", "--json")), &link))

	var seen struct {
		Asked, Said string
		Outside     []string
	}
	operator.run(t, &seen, "panel.mjs", link.URL, "http://"+front, pictures(t), broken.ID)
	require.Contains(t, seen.Asked, "It waits for your decision")
	require.Contains(t, seen.Said, "Approved")
	require.Empty(t, seen.Outside)
	r := a.letGo(t, s, broken.ID, ids)
	require.Equal(t, "mended, says the panel", r.Decision.Reason)
	require.Equal(t, webhook.ApprovalReleased, r.Status)
}

// composeUI runs the UI server as its image does, with the file that docker-compose.yml puts beside
// the image's own, and gives its address.
func composeUI(t *testing.T, temporal, gateway string) string {
	t.Helper()
	text, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	var compose struct {
		Configs map[string]struct{ Content string }
	}
	require.NoError(t, yaml.Unmarshal(text, &compose))
	ours := compose.Configs["temporal-ui"].Content
	require.NotContains(t, ours, "$", "nothing that Compose would fill in")
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/temporalio/ui-server/v2").Output()
	require.NoError(t, err)
	image, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), "config", "docker.yaml"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "base.yaml"), []byte(ours), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker.yaml"), image, 0o600))

	at := freeAddress(t)
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	t.Setenv("PANEL_ORIGIN", "https://hooks.example.com")
	behindTLS, err := fs_config_provider.LoadConfig(dir, "docker")
	require.NoError(t, err)
	require.NoError(t, behindTLS.Validate())
	require.Equal(t, []string{"context:workflow"}, behindTLS.CustomUI.IframeExtensions[0].Permissions)
	for name, value := range map[string]string{
		"PANEL_ORIGIN": gateway, "TEMPORAL_ADDRESS": temporal, "TEMPORAL_UI_PORT": port,
		"TEMPORAL_CSRF_COOKIE_INSECURE": "true", "TEMPORAL_HIDE_LOGS": "true", "TEMPORAL_DISABLE_NEWS_FETCH": "true",
	} {
		t.Setenv(name, value)
	}
	server := uiserver.NewServer(server_options.WithConfigProvider(fs_config_provider.NewFSConfigProvider(dir, "docker")))
	go server.Start() //nolint:errcheck // it returns nil, after Stop
	t.Cleanup(server.Stop)
	eventually(t, "the UI server answers", func() bool { return answers(t, "http://"+at+"/healthz") })
	return "http://" + at
}

// run gives what a command prints.
func run(t *testing.T, env []string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Env, c.Stderr = env, t.Output()
	out, err := c.Output()
	require.NoError(t, err)
	return string(out)
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := appClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// freeAddress is one on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

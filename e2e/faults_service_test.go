package e2e

import (
	"database/sql/driver"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/service"
	"hookloop/internal/engine"
	"hookloop/workflows"
)

const serviceSecret = service.Secret

// startEngine runs Temporal alone, so that it can go while gateway and worker stay.
func startEngine(t *testing.T, dir, listen string) *engine.Engine {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Config{
		Dir: dir, Listen: listen, SearchAttributes: workflows.SearchAttributes(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop() })
	return e
}

// startService is `hookloop serve` in this process, on a Temporal elsewhere. Several may share a
// folder.
func startService(t *testing.T, dir string, e *engine.Engine) app {
	t.Helper()
	return serveThrough(t, dir, e, nil)
}

// serveThrough is startService with something between the registry and its database.
func serveThrough(t *testing.T, dir string, e *engine.Engine, through func(driver.Connector) driver.Connector) app {
	t.Helper()
	s := service.Start(t, service.Config{
		Dir: dir, Temporal: service.Temporal{HostPort: e.HostPort(), Namespace: e.Namespace()}, Database: through,
	})
	t.Cleanup(s.Stop)
	return app{&process{place: place{
		Gateway: s.URL, Temporal: e.HostPort(), Namespace: e.Namespace(), Tenant: "acme", Token: mintToken(t),
	}}}
}

func mintToken(t *testing.T) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, "token")
	c.Env = []string{"HOME=" + t.TempDir(), "HOOKLOOP_JWT_SECRET=" + serviceSecret}
	token, err := c.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(token))
}

package e2e

import (
	"context"
	"database/sql/driver"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/activities"
	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/internal/audit"
	"hookloop/internal/echo"
	"hookloop/internal/engine"
	"hookloop/internal/health"
	"hookloop/internal/orchestrator"
	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/sender"
	"hookloop/internal/sender/guard"
	"hookloop/internal/source"
	"hookloop/worker"
	"hookloop/workflows"
)

const serviceSecret = "a secret of this test, 32 bytes or more"

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

// startService is `hookloop serve` in this process, because the real one refuses endpoints on
// loopback: gateway and worker on one client of a Temporal elsewhere. Several may share a folder.
func startService(t *testing.T, dir string, e *engine.Engine) app {
	t.Helper()
	return serveOn(t, openEndpoints(t, filepath.Join(dir, "registry.db"), nil), e)
}

// serveOn is startService on a registry that is open.
func serveOn(t *testing.T, endpoints *sqlite.Registry, e *engine.Engine) app {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: e.HostPort(), Namespace: e.Namespace(), Logger: sdklog.NewStructuredLogger(silent),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	verifier, err := auth.New(auth.Config{
		Secret: []byte(serviceSecret), Issuer: "hookloop", Audience: "hookloop", Logger: silent,
	})
	require.NoError(t, err)
	t.Cleanup(verifier.Close)
	temporal, err := orchestrator.New(orchestrator.Config{Client: c, Namespace: e.Namespace()})
	require.NoError(t, err)
	echoes, err := echo.New(echo.Config{Store: endpoints})
	require.NoError(t, err)
	fetcher := sender.NewFetcher(sender.FetcherConfig{AllowLoopback: true})
	t.Cleanup(fetcher.Close)
	providers, err := source.New(source.Config{Fetch: fetcher})
	require.NoError(t, err)
	g, err := gateway.New(gateway.Config{
		Sources: endpoints, Providers: providers, Echoes: echoes,
		Attempts: endpoints, Waiting: temporal.Waiting(), Portals: endpoints, Registry: endpoints, Events: temporal.Events(orchestrator.EventsConfig{Registry: endpoints}), Recoveries: temporal.Recoveries(),
		Redeliveries: temporal.Redeliveries(endpoints), Approvals: temporal.Approvals(), Audits: audit.New(temporal.Histories(), nil, nil), Auth: verifier, AllowLoopback: true, Logger: silent,
	})
	require.NoError(t, err)
	reporter := health.NewReporter(temporal.Approvals(), endpoints, silent)
	t.Cleanup(reporter.Close)
	startWorker(t, c, endpoints, reporter, echoes, temporal)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return app{&process{place: place{
		Gateway: "http://" + l.Addr().String(), Temporal: e.HostPort(), Namespace: e.Namespace(),
		Tenant: "acme", Token: mintToken(t),
	}}}
}

func openEndpoints(t *testing.T, path string, through func(driver.Connector) driver.Connector) *sqlite.Registry {
	t.Helper()
	keyFile := path + ".key"
	key, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = registry.NewKey()
		require.NoError(t, err)
		err = os.WriteFile(keyFile, key, 0o600)
	}
	require.NoError(t, err)
	sealer, err := registry.NewSealer(key)
	require.NoError(t, err)
	r, err := sqlite.OpenThrough(t.Context(), path, sealer, through)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func startWorker(
	t *testing.T, c client.Client, endpoints *sqlite.Registry, h guard.Health, echoes *echo.Tracker, temporal *orchestrator.Orchestrator,
) {
	t.Helper()
	s, err := sender.New(sender.Config{AllowLoopback: true, Health: h})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	events, err := temporal.Contents(nil)
	require.NoError(t, err)
	w, err := worker.New(worker.Config{
		Client:     c,
		Deliveries: &activities.Delivery{Endpoints: endpoints, Sender: s, Events: events, Echoes: echoes},
		Recoveries: &activities.Recovery{Deliveries: temporal.Redeliveries(endpoints)},
		Approvals: &activities.Approval{
			Endpoints: endpoints, Backlog: temporal.Backlog(), Events: temporal.Announcer(orchestrator.AnnouncerConfig{Endpoints: endpoints}),
		},
	})
	require.NoError(t, err)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func mintToken(t *testing.T) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, "token")
	c.Env = []string{"HOME=" + t.TempDir(), "HOOKLOOP_JWT_SECRET=" + serviceSecret}
	token, err := c.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(token))
}

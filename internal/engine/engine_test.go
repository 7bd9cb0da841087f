package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"hookloop/internal/engine"
)

const taskQueue = "test"

// patience bounds every wait for something that must happen: far above what it takes on a busy
// machine.
const patience = 90 * time.Second

var (
	tenant    = temporal.NewSearchAttributeKeyKeyword("Tenant")
	eventType = temporal.NewSearchAttributeKeyKeyword("EventType")
	endpoint  = temporal.NewSearchAttributeKeyKeyword("Endpoint")
	outcome   = temporal.NewSearchAttributeKeyKeyword("Outcome")
)

var quiet = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))

// shared is the engine of every test that does not stop its own.
var shared struct {
	once   sync.Once
	engine *engine.Engine
	dir    string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		panic(err)
	}
	shared.dir = dir
	code := m.Run()
	if shared.engine != nil {
		if err := shared.engine.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(dir) // a temporary folder
	os.Exit(code)
}

func sharedEngine(t *testing.T) *engine.Engine {
	t.Helper()
	shared.once.Do(func() {
		cfg := config(t)
		cfg.Dir, cfg.UIListen = shared.dir, "127.0.0.1:0"
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})) // it outlives t
		e, err := engine.Start(t.Context(), cfg)
		require.NoError(t, err)
		shared.engine = e
	})
	require.NotNil(t, shared.engine)
	return shared.engine
}

func TestEagerWorkflowIsListedByItsSearchAttributes(t *testing.T) {
	t.Parallel()
	c := dial(t, sharedEngine(t))
	work(t, c)
	runEvent(t, c, "event/acme/listed")

	requireListed(t, c, `Tenant = 'acme' AND EventType = 'contact.updated' AND WorkflowId = 'event/acme/listed'`)
}

func TestNamespaceHasRetentionAndFixedColumns(t *testing.T) {
	t.Parallel()
	e := sharedEngine(t)
	got, err := dial(t, e).WorkflowService().DescribeNamespace(t.Context(),
		&workflowservice.DescribeNamespaceRequest{Namespace: e.Namespace()})
	require.NoError(t, err)

	require.Equal(t, "default", e.Namespace())
	require.Equal(t, 30*24*time.Hour, got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	require.Equal(t, map[string]string{
		"Keyword01": "Tenant", "Keyword02": "EventType", "Keyword03": "Endpoint", "Keyword04": "Outcome",
	}, got.GetConfig().GetCustomSearchAttributeAliases())
}

func TestUIAnswersWithoutAskingAnybodyElse(t *testing.T) {
	t.Parallel()
	url := sharedEngine(t).UIURL()

	index := get(t, url+"/")
	require.Contains(t, index, "/_app/")
	require.NotRegexp(t, `(?i)(src|href|import)\s*[=(]\s*["'](https?:)?//`, index)

	settings := get(t, url+"/api/v1/settings")
	require.Contains(t, settings, `"DisableNewsFetch":true`)
	require.Contains(t, settings, `"NotifyOnNewVersion":false`)
	require.Contains(t, settings, `"DisableWriteActions":false`)
	require.Contains(t, get(t, url+"/api/v1/namespaces/default/workflows"), `{`)
}

func TestRestartFindsWhatWasThere(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	first, err := engine.Start(t.Context(), cfg)
	require.NoError(t, err)
	c := dial(t, first)
	w := work(t, c)
	runEvent(t, c, "event/acme/kept")
	requireListed(t, c, `WorkflowId = 'event/acme/kept'`)
	w.Stop()
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "a second stop")

	moved := filepath.Join(t.TempDir(), "a b%41?c#dé")
	require.NoError(t, os.Rename(cfg.Dir, moved))
	cfg.Dir = moved
	cfg.SearchAttributes = append(cfg.SearchAttributes, "Added")
	c = dial(t, start(t, cfg))
	requireListed(t, c, `Tenant = 'acme' AND WorkflowId = 'event/acme/kept'`)
	work(t, c)
	runEvent(t, c, "event/acme/after")
}

func requireListed(t *testing.T, c client.Client, query string) {
	t.Helper()
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		got, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.NoError(collect, err)
		require.Len(collect, got.GetExecutions(), 1)
	}, patience, 20*time.Millisecond)
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(body))
	return string(body)
}

func config(tb testing.TB) engine.Config {
	tb.Helper()
	return engine.Config{
		Dir:              tb.TempDir(),
		Listen:           "127.0.0.1:0",
		KeptWorkflows:    kept,
		SearchAttributes: []string{tenant.GetName(), eventType.GetName(), endpoint.GetName(), outcome.GetName()},
		Logger:           slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

func start(tb testing.TB, cfg engine.Config) *engine.Engine {
	tb.Helper()
	e, err := engine.Start(context.Background(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, e.Stop()) })
	return e
}

// dial connects as Hookloop does: without the network.
func dial(tb testing.TB, e *engine.Engine) client.Client {
	tb.Helper()
	return connect(tb, e, client.Options{ConnectionOptions: client.ConnectionOptions{DialOptions: e.DialOptions()}})
}

func work(tb testing.TB, c client.Client) worker.Worker {
	tb.Helper()
	w := worker.New(c, taskQueue, worker.Options{})
	w.RegisterWorkflow(bareEvent)
	w.RegisterActivity(noop)
	require.NoError(tb, w.Start())
	tb.Cleanup(w.Stop)
	return w
}

func runEvent(tb testing.TB, c client.Client, id string) {
	tb.Helper()
	require.NoError(tb, (&benchRun{client: c}).event(id))
}

package gateway_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/expression"
	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// fakeSources is a real registry that can be out of reach, beside endpoints in memory.
type fakeSources struct {
	*sqlite.Registry

	endpoints *fakeRegistry
	down      error

	mu    sync.Mutex
	fails string // the method that does not answer
}

// fail lets a method not answer; empty: all do.
func (f *fakeSources) fail(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = method
}

func (f *fakeSources) failing(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails == method {
		return errors.New(method + " does not answer")
	}
	return f.down
}

func (f *fakeSources) Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error) {
	if err := f.failing("Arrivals"); err != nil {
		return nil, err
	}
	return f.Registry.Arrivals(ctx, sourceID, names, sameFor, now)
}

func (f *fakeSources) TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error {
	if err := f.failing("TakeArrivals"); err != nil {
		return err
	}
	return f.Registry.TakeArrivals(ctx, sourceID, all, a, now)
}

func newFakeSources(t testing.TB, endpoints *fakeRegistry) *fakeSources {
	t.Helper()
	key, err := keyring.New()
	require.NoError(t, err)
	sealer, err := registry.NewSealer(key)
	require.NoError(t, err)
	r, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), sealer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return &fakeSources{Registry: r, endpoints: endpoints}
}

func (f *fakeSources) SourceByID(ctx context.Context, id string) (webhook.Source, error) {
	if f.down != nil {
		return webhook.Source{}, f.down
	}
	return f.Registry.SourceByID(ctx, id)
}

func (f *fakeSources) Rule(ctx context.Context, p echo.Report, now time.Time) (echo.Ruling, error) {
	if err := f.failing("Rule"); err != nil {
		return echo.Ruling{}, err
	}
	return f.Registry.Rule(ctx, p, now)
}

func (f *fakeSources) Withheld(_ context.Context, tenant, application string) ([]string, error) {
	f.endpoints.mu.Lock()
	defer f.endpoints.mu.Unlock()
	var ids []string
	for _, e := range f.endpoints.all {
		if e.Tenant == tenant && e.Application == application && !e.EchoBack {
			ids = append(ids, e.ID)
		}
	}
	slices.Sort(ids)
	return ids, f.failing("Withheld")
}

// noFetcher is a network that is down.
type noFetcher struct{}

func (noFetcher) Get(context.Context, string) ([]byte, error) { return nil, errors.New("no network") }

func hashOf(t *testing.T, body string) string {
	t.Helper()
	all, err := expressions.Values(t.Context(), "acme", []byte(body), expression.Ask{Text: ".", Form: expression.Hash})
	require.NoError(t, err)
	return string(all[0])
}

// expressions runs those of all tests, in as few processes as a gateway has.
var expressions, _ = expression.New(expression.Config{}) // without metrics it cannot fail

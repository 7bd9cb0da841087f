package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/faulty"
	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/webhook"
)

// TestFaults lets statements and commits fail, before they were made and after, by seed. What was
// answered is there, what was said not to be made is not, and no endpoint gets more than its rate
// limit.
func TestFaults(t *testing.T) {
	t.Parallel()
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	faults := faulty.New(1, .1)
	faults.Stop()
	r, err := postgres.OpenThrough(t.Context(), d.url, sealer, faults.Wrap)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_paced", "a")))
	faults.Start()
	answered := map[string]error{}
	for n := range 300 {
		id := fmt.Sprintf("ep_%d", n)
		answered[id] = r.CreateEndpoint(t.Context(), registrytest.NewEndpoint(id, "a"))
	}
	limit, let, begun := webhook.RateLimit{PerSecond: .01, Burst: 5}, 0, time.Now()
	for n := range 200 {
		if wait, err := r.Pass(t.Context(), "acme", "ep_paced", fmt.Sprintf("evt_%d", n), limit); err == nil && wait <= 0 {
			let++
		}
	}
	took := time.Since(begun)
	faults.Stop()
	notDone, done := faults.Injected()
	require.Positive(t, notDone)
	require.Positive(t, done)
	t.Logf("%d calls were not made, %d were made and said to have failed; %d of 5 passed", notDone, done, let)
	require.LessOrEqual(t, float64(let), float64(limit.Burst)+limit.PerSecond*took.Seconds())

	failed := 0
	for id, err := range answered {
		_, missing := r.Endpoint(t.Context(), "acme", id)
		switch {
		case err == nil:
			require.NoError(t, missing, id)
		case errors.Is(err, faulty.ErrNotDone):
			require.Equal(t, webhook.NotFound, webhook.CodeOf(missing), id)
			failed++
		case errors.Is(err, faulty.ErrDone):
			failed++
		default:
			require.NoError(t, err, id)
		}
		if err != nil {
			require.Empty(t, webhook.CodeOf(err), "the gateway answers 503 to it")
		}
	}
	require.Positive(t, failed)
}

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
)

// TestReadersLeaveRoom lets one tenant read lists, reports and trails as fast as it can: another
// tenant's posts take little longer than in the pauses between, which are measured in the same run.
func TestReadersLeaveRoom(t *testing.T) {
	t.Parallel()
	const readers, endpoints, posts, rounds = 20, 60, 20, 3
	p := start(t, filepath.Join(t.TempDir(), "data"))
	noisy, quiet := *p, *p
	noisy.Tenant, quiet.Tenant = "noisy", "quiet"
	s := endpointtest.Start(t, endpointtest.Config{Script: "503:1000000"})
	for n := range endpoints {
		app{&noisy}.createEndpoint(t, fmt.Sprintf(`{"url":"%s/%d","schedule":["0s","24h"]}`, s.URL, n))
	}
	id := app{&noisy}.post(t, `{"type":"a.b","data":1}`).ID
	eventually(t, "every delivery waits", func() bool {
		e := app{&noisy}.event(t, id)
		return len(e.Deliveries) == endpoints && !slices.ContainsFunc(e.Deliveries, func(d delivery) bool { return len(d.Attempts) == 0 })
	})

	var calm, busy []time.Duration
	for range rounds {
		calm = append(calm, app{&quiet}.timed(t, posts)...)
		stop, answered := app{&noisy}.read(t, id, readers)
		// Twenty posts may be over before the first of the costly answers is.
		eventually(t, "the readers read", func() bool { return answered.Load() >= readers })
		busy = append(busy, app{&quiet}.timed(t, posts)...)
		stop()
	}
	slices.Sort(calm)
	slices.Sort(busy)
	at := func(all []time.Duration, percent int) time.Duration { return all[len(all)*percent/100] }
	for _, percent := range []int{50, 90} {
		t.Logf("p%d of a post: %s alone, %s beside %d readers, %.1f times as long", percent, at(calm, percent), at(busy, percent), readers,
			float64(at(busy, percent))/float64(at(calm, percent)))
	}
	require.Less(t, at(busy, 50), 8*at(calm, 50))
}

// timed posts one after the other, and says how long each took.
func (a app) timed(t *testing.T, posts int) []time.Duration {
	t.Helper()
	all := make([]time.Duration, posts)
	for i := range all {
		began := time.Now()
		a.post(t, `{"type":"a.b","data":1}`)
		all[i] = time.Since(began)
	}
	return all
}

// read reads all that is costly, with so many readers, until it is stopped.
func (a app) read(t *testing.T, id string, readers int) (stop func(), answered *atomic.Int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	answered = &atomic.Int64{}
	var all sync.WaitGroup
	paths := []string{"/events/" + id, "/events/" + id + "/audit", "/events?limit=250", "/audit"}
	for n := range readers {
		all.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				if status, _ := a.try(ctx, http.MethodGet, paths[i%len(paths)], "", nil); status == http.StatusOK {
					answered.Add(1)
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }, answered
}

package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/webhook"
)

// TestTwoRegistries: processes see each other's writes at once, and wait for each other's changes.
func TestTwoRegistries(t *testing.T) {
	t.Parallel()
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	one, two := d.registry(t, sealer), d.registry(t, sealer)
	var disabled []string
	for n := range 50 {
		writer, reader := one, two
		if n%2 == 1 {
			writer, reader = two, one
		}
		e := registrytest.NewEndpoint(fmt.Sprintf("ep_%02d", n), "a")
		require.NoError(t, writer.CreateEndpoint(t.Context(), e))
		found, err := reader.Match(t.Context(), "acme", "a")
		require.NoError(t, err)
		require.Equal(t, webhook.Match{IDs: []string{e.ID}, Disabled: disabled}, found)
		_, err = writer.UpdateEndpoint(t.Context(), "acme", e.ID, func(e *webhook.Endpoint) error {
			e.State = webhook.EndpointDisabled
			return nil
		})
		require.NoError(t, err)
		found, err = reader.Match(t.Context(), "acme", "a")
		require.NoError(t, err)
		disabled = append(disabled, e.ID)
		require.Equal(t, webhook.Match{Disabled: disabled}, found)
	}

	observer := d.connect(t)
	inside, second := make(chan struct{}), make(chan int)
	go func() {
		<-inside
		e, _ := two.UpdateEndpoint(context.Background(), "acme", "ep_00", func(*webhook.Endpoint) error { return nil })
		second <- e.Version
	}()
	first, err := one.UpdateEndpoint(t.Context(), "acme", "ep_00", func(*webhook.Endpoint) error {
		close(inside)
		requireWaits(t, observer, "transactionid")
		// Another endpoint's change does not wait.
		_, err := two.UpdateEndpoint(t.Context(), "acme", "ep_01", func(*webhook.Endpoint) error { return nil })
		return err
	})
	require.NoError(t, err)
	require.Equal(t, first.Version+1, <-second)
}

// TestTurns: what is said of one object at once, through whichever process, is taken in turns: each
// gets a place of its own, of two reports of a value that was written once one is the echo, and in
// the end the latest is the latest.
func TestTurns(t *testing.T) {
	t.Parallel()
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	both := []*postgres.Registry{d.registry(t, sealer), d.registry(t, sealer)}
	now := time.Now()

	const n = 20
	var mu sync.Mutex
	places, echoes := map[int64]int{}, map[string]int{}
	report := func(r *postgres.Registry, m echo.Value, event string) {
		ruling, err := r.Rule(t.Context(), echo.Report{Value: m, EventID: event}, now)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		places[ruling.Order]++
		echoes[ruling.EchoOf]++
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			event := fmt.Sprintf("evt_%d", i)
			m := echo.Value{Tenant: "acme", Application: "crm", Key: "7", Hash: "value of " + event}
			if err := both[i%2].Remember(t.Context(), echo.Write{Value: m, EventID: event, EndpointID: "ep_1"}, now); err != nil {
				t.Error(err)
			}
			wg.Go(func() { report(both[0], m, "one report of "+event) })
			wg.Go(func() { report(both[1], m, "another report of "+event) })
		})
	}
	wg.Wait()
	require.Len(t, places, 2*n)
	require.Len(t, echoes, n+1, "each write was echoed")
	require.Equal(t, n, echoes[""], "once")
	latest := slices.Max(slices.Collect(maps.Keys(places)))
	require.Equal(t, []string{fmt.Sprint(latest)}, query(t, d.connect(t), "SELECT latest FROM echo_objects"))
}

// TestTurnsWait: while one report of an object is half written, the next has not even asked for its
// place, and what is said of another object waits for neither.
func TestTurnsWait(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	observer := d.connect(t)
	rule := func(key, event string) int64 {
		p := echo.Report{Value: echo.Value{Tenant: "acme", Application: "crm", Key: key, Hash: event}, EventID: event}
		ruling, err := r.Rule(context.Background(), p, time.Now())
		if err != nil {
			t.Error(err)
		}
		return ruling.Order
	}
	rule("7", "evt_0")
	obstacle, err := d.connect(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	query(t, obstacle, "SELECT event_id FROM echo_objects FOR UPDATE")

	first, second := make(chan int64), make(chan int64)
	go func() { first <- rule("7", "evt_1") }()
	requireWaits(t, observer, "transactionid")
	go func() { second <- rule("7", "evt_2") }()
	requireWaits(t, observer, "advisory", "transactionid")
	rule("8", "evt_3")
	require.NoError(t, obstacle.Commit())
	require.Less(t, <-first, <-second)
	require.Equal(t, []string{"evt_2"}, query(t, observer, "SELECT latest_event FROM echo_objects WHERE key = '7'"))
}

// requireWaits waits until those are what connections wait for.
func requireWaits(t *testing.T, db *sql.DB, want ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, want, query(t, db, `SELECT wait_event FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' ORDER BY wait_event`))
	}, patience, 5*time.Millisecond)
}

// TestDeletesMeet: processes that write what echoes are known by and delete what has expired, the
// same writes of each other included, never wait for each other in a circle.
func TestDeletesMeet(t *testing.T) {
	t.Parallel()
	d, sealer := migratedDatabase(t), registrytest.NewSealer(t)
	now := time.Now()
	var wg sync.WaitGroup
	for process := range 4 {
		r := d.registry(t, sealer)
		wg.Go(func() {
			for i := range 200 {
				// what is written expires soon, and is written again
				at := now.Add(time.Duration(i) * echo.TTL / 8)
				w := echo.Write{
					Value:   echo.Value{Tenant: "acme", Application: "crm", Key: fmt.Sprint((i + process) % 16), Hash: "blue"},
					EventID: "evt_1", EndpointID: "ep_1",
				}
				r.DeleteExpiredNext(echo.MaxWrites)
				if err := r.Remember(t.Context(), w, at); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

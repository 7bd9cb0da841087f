package registrytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func arrivals(t *testing.T, r Registry, now time.Time, sameFor time.Duration, names ...string) map[string]webhook.Arrival {
	t.Helper()
	return must(r.Arrivals(t.Context(), "src_1", names, sameFor, now))(t)
}

func take(t *testing.T, r Registry, now time.Time, all ...webhook.Taken) {
	t.Helper()
	require.NoError(t, r.TakeArrivals(t.Context(), "src_1", all, webhook.SourceActivity{}, now))
}

// arrivalsByID: an item with an id is known once it has become an event, for a year.
func arrivalsByID(t *testing.T, s Store) {
	r := open(t, s)
	require.Empty(t, arrivals(t, r, born, 0, "a", "b", "a"))
	take(t, r, born, webhook.Taken{Name: "a", First: born}, webhook.Taken{Name: "a", First: born})
	take(t, r, born.Add(time.Hour), webhook.Taken{Name: "a", First: born.Add(time.Hour)})
	known := map[string]webhook.Arrival{"a": {First: born, Taken: true}}
	require.Equal(t, known, arrivals(t, r, born.Add(time.Hour), 0, "a", "b"))
	require.Empty(t, must(r.Arrivals(t.Context(), "src_2", []string{"a"}, 0, born))(t), "of each source")

	take(t, r, born.Add(webhook.RememberArrivals-time.Second))
	require.Equal(t, known, arrivals(t, r, born, 0, "a"))
	take(t, r, born.Add(webhook.RememberArrivals))
	require.Empty(t, arrivals(t, r, born, 0, "a"))
}

// arrivalsByContent: an item without an id is the same within a while of its first arrival, whether
// it became an event or not, and another one afterwards.
func arrivalsByContent(t *testing.T, s Store) {
	const while = 10 * time.Minute
	r := open(t, s)
	require.Equal(t, map[string]webhook.Arrival{"a": {First: born}, "b": {First: born}}, arrivals(t, r, born, while, "b", "a", "a"))
	soon, later := born.Add(while-time.Microsecond), born.Add(while)
	require.Equal(t, webhook.Arrival{First: born}, arrivals(t, r, soon, while, "a")["a"])
	take(t, r, soon, webhook.Taken{Name: "a", First: born, For: while})
	require.Equal(t, webhook.Arrival{First: born, Taken: true}, arrivals(t, r, soon, while, "a")["a"])
	require.Equal(t, webhook.Arrival{First: later}, arrivals(t, r, later, while, "a")["a"], "counted from the first, not from the last")
	take(t, r, later, webhook.Taken{Name: "a", First: born, For: while})
	require.Equal(t, webhook.Arrival{First: later}, arrivals(t, r, later, while, "a")["a"], "what is said of the one before does not count")
	require.Equal(t, webhook.Arrival{First: later.Add(-time.Second)}, arrivals(t, r, later.Add(-time.Second), time.Second, "c")["c"])
}

// arrivalsRace: of several gateways that see an item at the same time, one is the first.
func arrivalsRace(t *testing.T, s Store) {
	r := open(t, s)
	names := make([]string, 50)
	for i := range names {
		names[i] = fmt.Sprint((i * 7) % len(names))
	}
	var all sync.WaitGroup
	found := make([]map[string]webhook.Arrival, 8)
	for i := range found {
		all.Go(func() {
			found[i], _ = r.Arrivals(t.Context(), "src_1", names, time.Hour, born.Add(time.Duration(i)*time.Second))
		})
	}
	all.Wait()
	for _, f := range found {
		require.Len(t, f, len(names))
		require.Equal(t, found[0], f)
	}
}

func arrivalsPruned(t *testing.T, s Store) {
	r := open(t, s)
	for i := range 10 {
		at := born.Add(time.Duration(i) * time.Second)
		take(t, r, at, webhook.Taken{Name: fmt.Sprint(i), First: at})
	}
	require.NoError(t, r.PruneArrivals(t.Context(), "src_1", 20))
	require.NoError(t, r.PruneArrivals(t.Context(), "src_2", 0))
	require.Len(t, arrivals(t, r, born, 0, "0", "9"), 2)
	require.NoError(t, r.PruneArrivals(t.Context(), "src_1", 3))
	found := arrivals(t, r, born, 0, "0", "6", "7", "8", "9")
	require.Len(t, found, 3)
	require.NotContains(t, found, "6")
}

// sourceActivity: what several gateways tell adds up.
func sourceActivity(t *testing.T, s Store) {
	r := open(t, s)
	require.NoError(t, r.CreateSource(t.Context(), source(1)))
	id := sourceID(1)
	other := source(2)
	require.NoError(t, r.CreateSource(t.Context(), other))
	all := must(r.SourceActivities(t.Context(), []string{id, other.ID, "src_none"}))(t)
	require.Empty(t, all)
	first := webhook.SourceActivity{Accepted: 2, Refused: 1, LastAcceptedAt: born, LastRefusedAt: born.Add(time.Minute), LastRefusal: "it was wrong"}
	second := webhook.SourceActivity{Accepted: 1, Repeats: 4, Refused: 2, LastAcceptedAt: born.Add(time.Hour), LastRefusedAt: born, LastRefusal: "earlier"}
	for _, a := range []webhook.SourceActivity{first, second, {}} {
		require.NoError(t, r.TakeArrivals(t.Context(), id, nil, a, born))
	}
	require.NoError(t, r.TakeArrivals(t.Context(), other.ID, nil, second, born))
	all = must(r.SourceActivities(t.Context(), []string{id, other.ID, "src_none"}))(t)
	first.Add(second)
	require.Equal(t, map[string]webhook.SourceActivity{id: first, other.ID: second}, all)
	require.Equal(t, "it was wrong", all[id].LastRefusal)

	require.NoError(t, r.DeleteSource(t.Context(), tenant, id))
	require.NoError(t, r.TakeArrivals(t.Context(), id, nil, second, born))
	require.Empty(t, must(r.SourceActivities(t.Context(), []string{id}))(t), "it went with its source")
}

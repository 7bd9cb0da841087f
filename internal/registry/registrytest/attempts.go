package registrytest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// attemptRow is an attempt at the n-th endpoint, so many seconds after born.
func attemptRow(n int, event string, number, status, after int) attemptlog.Row {
	return attemptlog.NewRow(webhook.Event{Tenant: tenant, ID: event, Type: "order.paid"}, id(n), "run-"+event, webhook.Attempt{
		Number: number, At: born.Add(time.Duration(after) * time.Second), StatusCode: status, DurationMS: int64(10 * number), Error: "ü\x00" + event,
	})
}

func writeAttempts(t *testing.T, r Registry, rows ...attemptlog.Row) {
	t.Helper()
	require.NoError(t, r.WriteAttempts(t.Context(), attemptlog.Write{Rows: rows, Now: born}))
}

func attempts(t *testing.T, r Registry, q attemptlog.Query) []attemptlog.Row {
	t.Helper()
	if q.Tenant == "" {
		q.Tenant, q.EndpointID = tenant, id(1)
	}
	q.Limit = cmp.Or(q.Limit, 100)
	return must(r.Attempts(t.Context(), q))(t)
}

func attemptsListed(t *testing.T, s Store) {
	r := open(t, s)
	first, second := attemptRow(1, "evt_1", 1, 503, 1), attemptRow(1, "evt_1", 2, 200, 5)
	other, beside := attemptRow(1, "evt_2", 1, 400, 5), attemptRow(2, "evt_1", 1, 200, 3)
	stranger := attemptRow(1, "evt_3", 1, 200, 9)
	stranger.Tenant = "other"
	waiting := attemptlog.NewDeferral(webhook.Event{Tenant: tenant, ID: "evt_4", Type: "order.paid"}, id(1), "run-evt_4", born.Add(2*time.Second), webhook.Deferral{Reason: webhook.DeferBreaker})
	writeAttempts(t, r, first, second, other, beside, stranger, waiting)

	require.Equal(t, []attemptlog.Row{other, second, first}, attempts(t, r, attemptlog.Query{}), "the newest first, and attempts alone")
	require.Equal(t, []attemptlog.Row{other, first}, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), Failed: true}))
	require.Equal(t, []attemptlog.Row{second, first}, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), From: other.Position()}))
	require.Equal(t, []attemptlog.Row{first}, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), Before: second.At}))
	require.Equal(t, []attemptlog.Row{other, second}, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), After: second.At}))
	require.Equal(t, []attemptlog.Row{other}, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), Limit: 1}))
	require.Empty(t, attempts(t, r, attemptlog.Query{Tenant: "nobody", EndpointID: id(1)}))

	seen := must(r.EventsAt(t.Context(), tenant, id(1), attemptlog.Position{}, 10))(t)
	require.Equal(t, []attemptlog.Seen{
		{EventID: "evt_2", EventType: "order.paid", At: other.At},
		{EventID: "evt_4", EventType: "order.paid", At: waiting.At},
		{EventID: "evt_1", EventType: "order.paid", At: first.At},
	}, seen, "each once, where it began")
	require.Equal(t, "evt_4", must(r.EventsAt(t.Context(), tenant, id(1), attemptlog.Position{At: seen[0].At, EventID: seen[0].EventID}, 1))(t)[0].EventID)
}

func attemptsCounted(t *testing.T, s Store) {
	r := open(t, s)
	writeAttempts(t, r, attemptRow(1, "evt_1", 1, 503, 1), attemptRow(1, "evt_1", 2, 200, 90), attemptRow(2, "evt_2", 1, 400, 2), attemptRow(1, "evt_3", 1, 200, 3600))
	day := func() (since, until time.Time) { return born.Add(-time.Hour), born.Add(24 * time.Hour) }
	since, until := day()

	all := must(r.AttemptTallies(t.Context(), tenant, attemptlog.Hour, since, until, nil))(t)
	require.Len(t, all, 2)
	require.Equal(t, []int64{2, 1, 0}, []int64{all[id(1)].Took, all[id(1)].Fails, all[id(1)].Refuses})
	require.EqualValues(t, 1, all[id(2)].Refuses)
	require.EqualValues(t, 2, all[id(1)].Latency[0])
	some := must(r.AttemptTallies(t.Context(), tenant, attemptlog.Hour, since, until, []string{id(2), id(9)}))(t)
	require.Equal(t, map[string]attemptlog.Tally{id(2): all[id(2)]}, some)
	require.Empty(t, must(r.AttemptTallies(t.Context(), "other", attemptlog.Hour, since, until, nil))(t))

	hours := must(r.AttemptCounts(t.Context(), tenant, id(1), attemptlog.Hour, since, until))(t)
	require.Len(t, hours, 2)
	require.Equal(t, born.Truncate(time.Hour), hours[0].At)
	require.EqualValues(t, 2, hours[0].Attempts())
	minutes := must(r.AttemptCounts(t.Context(), tenant, "", attemptlog.Minute, since, until))(t)
	require.Len(t, minutes, 3)
	require.EqualValues(t, 2, minutes[0].Attempts(), "at all endpoints")

	latest := must(r.LatestAttempts(t.Context(), tenant, nil))(t)
	require.Equal(t, map[string]attemptlog.Latest{
		id(1): {Tenant: tenant, EndpointID: id(1), TookAt: born.Add(time.Hour), FailedAt: born.Add(time.Second), StatusCode: 503, Error: "ü\ufffdevt_1"},
		id(2): {Tenant: tenant, EndpointID: id(2), FailedAt: born.Add(2 * time.Second), StatusCode: 400, Error: "ü\ufffdevt_2"},
	}, latest)
	require.Len(t, must(r.LatestAttempts(t.Context(), tenant, []string{id(2)}))(t), 1)
}

// SomeAttempts are n attempts of events at a hundred endpoints, the first of them the from-th; five
// in a hundred fail.
func SomeAttempts(from, n int) attemptlog.Write {
	w := attemptlog.Write{Now: born.Add(time.Duration(from) * 10 * time.Millisecond)}
	for i := from; i < from+n; i++ {
		a := webhook.Attempt{Number: 1, At: born.Add(time.Duration(i) * 10 * time.Millisecond), StatusCode: 200, DurationMS: int64(i % 300)}
		if i%20 == 0 {
			a.StatusCode, a.Failure, a.Error = 0, webhook.FailureRefused, "dial tcp 203.0.113.7:443: connect: connection refused"
		}
		e := webhook.Event{Tenant: tenant, ID: fmt.Sprintf("evt_01jd%022d", i), Type: "contact.updated"}
		w.Rows = append(w.Rows, attemptlog.NewRow(e, id(i%100), fmt.Sprintf("0193ab12-0000-7000-8000-0000%08x", i*7919), a))
	}
	return w
}

// dump is all that the log says of a tenant.
type dump struct {
	rows    []attemptlog.Row
	hours   map[string]attemptlog.Tally
	minutes map[string]attemptlog.Tally
	latest  map[string]attemptlog.Latest
}

func dumpAttempts(t *testing.T, r Registry) (d dump) {
	t.Helper()
	for n := range 4 {
		d.rows = append(d.rows, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(n)})...)
	}
	d.hours = must(r.AttemptTallies(t.Context(), tenant, attemptlog.Hour, born.Add(-time.Hour), born.Add(24*time.Hour), nil))(t)
	d.minutes = must(r.AttemptTallies(t.Context(), tenant, attemptlog.Minute, born.Add(-time.Hour), born.Add(24*time.Hour), nil))(t)
	d.latest = must(r.LatestAttempts(t.Context(), tenant, nil))(t)
	return d
}

// attemptsRepeated writes the same rows in any order, some of them twice and some first as they
// were before their attempt was made again: nothing of it shows.
func attemptsRepeated(t *testing.T, s Store) {
	r := open(t, s)
	var rows []attemptlog.Row
	for n := range 60 {
		rows = append(rows, attemptRow(n%3+1, fmt.Sprint("evt_", n/2), n%2+1, []int{200, 503, 400}[n%3], 7*n))
	}
	writeAttempts(t, r, rows...)
	want := dumpAttempts(t, r)
	writeAttempts(t, r, rows...)
	require.Equal(t, want, dumpAttempts(t, r))

	again := open(t, s)
	require.Equal(t, want, dumpAttempts(t, again))
	lost := slices.Clone(rows)
	for i := range lost { // its result was lost
		lost[i].At, lost[i].Outcome, lost[i].StatusCode, lost[i].DurationMS = lost[i].At.Add(-time.Minute), webhook.Fails, 500, 14000
	}
	writeAttempts(t, r, lost...)
	require.NotEqual(t, want, dumpAttempts(t, r))
	rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	writeAttempts(t, r, append(slices.Clone(lost[:5]), rows...)...)
	require.Equal(t, want.rows, dumpAttempts(t, r).rows)
	require.Equal(t, want.latest, dumpAttempts(t, r).latest)
	got := dumpAttempts(t, r)
	require.Equal(t, want.hours, got.hours)
	require.Equal(t, want.minutes, got.minutes)
}

func attemptsPruned(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	var rows []attemptlog.Row
	for n := range 1200 {
		rows = append(rows, attemptRow(1, fmt.Sprintf("evt_%04d", n), 1, 200, n))
	}
	rows = append(rows, attemptRow(2, "evt_gone", 1, 200, 1))
	writeAttempts(t, r, rows...)
	prune := func(k attemptlog.Keep, now time.Time) (n int) {
		for more := true; more; n++ {
			more = must(r.PruneAttempts(t.Context(), k, now))(t)
		}
		return n
	}
	soon := born.Add(time.Hour)
	prune(attemptlog.Keep{Age: 24 * time.Hour, Rows: 5000}, soon)
	require.Len(t, attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), Limit: 5000}), 1200)
	latest := must(r.LatestAttempts(t.Context(), tenant, nil))(t)
	require.Len(t, latest, 1, "an endpoint that is not there has no latest attempt")

	require.Equal(t, 2, prune(attemptlog.Keep{Age: 24 * time.Hour, Rows: 100}, soon), "a thousand at a time")
	left := attempts(t, r, attemptlog.Query{Tenant: tenant, EndpointID: id(1), Limit: 5000})
	require.Len(t, left, 100)
	require.Equal(t, "evt_1199", left[0].EventID, "the oldest went")
	hours := must(r.AttemptCounts(t.Context(), tenant, id(1), attemptlog.Hour, born.Add(-time.Hour), born.Add(time.Hour)))(t)
	require.EqualValues(t, 1200, hours[0].Attempts(), "counts stay")

	prune(attemptlog.Keep{Age: time.Hour, Rows: 100}, born.Add(5*time.Hour))
	require.Empty(t, attempts(t, r, attemptlog.Query{}))
	require.Empty(t, must(r.AttemptCounts(t.Context(), tenant, id(1), attemptlog.Minute, born.Add(-time.Hour), born.Add(time.Hour)))(t))
	writeAttempts(t, r, rows...) // its size is known
	require.Equal(t, 2, prune(attemptlog.Keep{Age: 24 * time.Hour, Rows: 100}, soon))
}

func attemptGaps(t *testing.T, s Store) {
	r := open(t, s)
	now := born.Add(time.Hour)
	take := func(now time.Time) attemptlog.Gap {
		return must(r.TakeGap(t.Context(), now.Add(-3*time.Minute), now))(t)
	}
	require.Zero(t, take(now))
	lost := attemptlog.Gap{ID: "lost", From: born, To: born.Add(time.Second)}
	alive := attemptlog.Gap{ID: "alive", From: now.Add(-time.Minute)}
	require.NoError(t, r.WriteAttempts(t.Context(), attemptlog.Write{Gaps: []attemptlog.Gap{alive, lost}}))
	require.Equal(t, lost, take(now))
	require.Zero(t, take(now), "it is being mended, and the other process lives")
	require.Equal(t, alive, take(now.Add(5*time.Minute)), "that process has ended")
	alive.From = now.Add(5 * time.Minute) // it has not
	require.NoError(t, r.WriteAttempts(t.Context(), attemptlog.Write{Gaps: []attemptlog.Gap{alive}}))
	require.Equal(t, lost, take(now.Add(11*time.Minute)), "it was not mended")
	require.NoError(t, r.CloseGap(t.Context(), "lost"))
	require.NoError(t, r.CloseGap(t.Context(), "alive"))
	require.Zero(t, take(now.Add(24*time.Hour)))
}

func endpointNames(t *testing.T, s Store) {
	r := open(t, s)
	e := full(1)
	create(t, r, e, endpoint(2))
	names := must(r.EndpointNames(t.Context(), tenant, nil))(t)
	require.Equal(t, []webhook.EndpointName{
		{ID: e.ID, URL: e.URL, Description: e.Description, State: e.State, StateReason: e.StateReason, BreakerOpenedAt: e.BreakerOpenedAt},
		{ID: id(2), URL: "https://example.com/2", State: webhook.EndpointActive},
	}, names)
	require.Equal(t, "bücher.example", names[0].Host())
	require.Len(t, must(r.EndpointNames(t.Context(), tenant, []string{id(2), id(7)}))(t), 1)
	require.Empty(t, must(r.EndpointNames(t.Context(), "other", nil))(t))
}

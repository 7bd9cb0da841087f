package attemptlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

var event = webhook.Event{Tenant: "acme", ID: "evt_1", Type: "order.paid"}

// began is a time with no more digits than a store keeps.
var began = time.Date(2026, 3, 1, 12, 30, 45, 123456000, time.UTC)

func attempt(number, status int, ms int64) webhook.Attempt {
	return webhook.Attempt{Number: number, At: began.Add(time.Duration(number) * time.Second), StatusCode: status, DurationMS: ms}
}

func row(number, status int, ms int64) attemptlog.Row {
	return attemptlog.NewRow(event, "ep_1", "0193ab12-0000-7000-8000-00000000abcd", attempt(number, status, ms))
}

func TestARowHoldsNoMoreThanAStoreKeeps(t *testing.T) {
	t.Parallel()
	a := attempt(1, 0, 3)
	a.At, a.Failure, a.ResponseBody = a.At.Add(7).In(time.FixedZone("x", 3600)), webhook.FailureReset, "a person's data"
	a.Error = "a\x00b\xff" + strings.Repeat("ü", 200)
	r := attemptlog.NewRow(event, "ep_1", "0193ab12-0000-7000-8000-00000000abcd", a)
	require.Equal(t, attemptlog.Row{
		Tenant: "acme", EndpointID: "ep_1", EventID: "evt_1", EventType: "order.paid", Run: "0000abcd", Number: 1,
		At: began.Add(time.Second), DurationMS: 3, Outcome: webhook.Fails, Failure: "reset", Error: r.Error,
	}, r)
	require.LessOrEqual(t, len(r.Error), 200)
	require.True(t, strings.HasPrefix(r.Error, "a\ufffdb\ufffdü"))
}

func TestATallyCountsAttemptsAlone(t *testing.T) {
	t.Parallel()
	var sum attemptlog.Tally
	for _, r := range []attemptlog.Row{
		row(1, 200, 5), row(2, 200, 40), row(3, 503, 90), row(4, 400, 20000),
		attemptlog.NewDeferral(event, "ep_1", "run", began, webhook.Deferral{Reason: webhook.DeferBreaker}),
	} {
		sum.Add(r, 1)
	}
	require.EqualValues(t, 4, sum.Attempts())
	require.Equal(t, []int64{2, 1, 1}, []int64{sum.Took, sum.Fails, sum.Refuses})
	require.InDelta(t, 0.5, sum.Success(), 1e-9)
	require.EqualValues(t, 1, sum.Latency[0])
	require.EqualValues(t, 1, sum.Latency[attemptlog.Buckets-1])
	var twice attemptlog.Tally
	twice.Plus(sum)
	twice.Add(row(1, 200, 5), -1)
	require.EqualValues(t, 3, twice.Attempts())
	require.Zero(t, attemptlog.Tally{}.Success())
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	require.Zero(t, attemptlog.Tally{}.Quantile(0.95))
	of := func(all ...int64) (sum attemptlog.Tally) {
		for i, ms := range all {
			sum.Add(row(i+1, 200, ms), 1)
		}
		return sum
	}
	require.InDelta(t, 5, of(1, 2, 3, 4).Quantile(0.5), 1e-9, "half of the first bucket")
	require.InDelta(t, 10, of(1, 200).Quantile(0.5), 1e-9)
	require.InDelta(t, 250, of(1, 200).Quantile(1), 1e-9)
	require.InDelta(t, 15000, of(20000, 30000).Quantile(0.95), 1e-9, "at least that")
	low := 0.0
	for q := 0.05; q <= 1; q += 0.05 { // it never falls
		high := of(1, 5, 30, 70, 70, 300, 4000, 4000, 12000, 29000).Quantile(q)
		require.GreaterOrEqual(t, high, low)
		low = high
	}
}

func TestAnAttemptCountsInItsMinuteAndItsHour(t *testing.T) {
	t.Parallel()
	r := row(1, 200, 5)
	hour := attemptlog.CountKey{Tenant: "acme", EndpointID: "ep_1", Span: attemptlog.Hour, At: began.Truncate(time.Hour)}
	minute := attemptlog.CountKey{Tenant: "acme", EndpointID: "ep_1", Span: attemptlog.Minute, At: began.Truncate(time.Minute)}
	require.Equal(t, []attemptlog.CountKey{minute, hour}, r.Spans(began.Add(time.Minute)))
	require.Equal(t, []attemptlog.CountKey{hour}, r.Spans(began.Add(4*time.Hour)), "minutes are not kept for so long")
}

func TestLatestHasWhatWasTakenAndWhatWasNot(t *testing.T) {
	t.Parallel()
	var l attemptlog.Latest
	l.Add(row(2, 503, 1))
	l.Add(row(3, 200, 1))
	l.Add(row(1, 400, 1))
	l.Add(attemptlog.NewDeferral(event, "ep_1", "run", began.Add(time.Hour), webhook.Deferral{}))
	require.Equal(t, attemptlog.Latest{TookAt: began.Add(3 * time.Second), FailedAt: began.Add(2 * time.Second), StatusCode: 503}, l)
}

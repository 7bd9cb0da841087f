package webhook_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hookloop/internal/webhook"
)

const seed = "delivery/acme/evt_1/ep_1"

func TestEveryStatusHasAVerdict(t *testing.T) {
	t.Parallel()
	s := webhook.DefaultSchedule()
	for status := range 600 {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			a := webhook.Attempt{Number: 2, StatusCode: status, RetryAfterMS: time.Hour.Milliseconds()}
			got := webhook.Decide(s, a, seed)
			last := webhook.Decide(s, webhook.Attempt{Number: len(s), StatusCode: status}, seed)
			switch {
			case status/100 == 2:
				require.Equal(t, webhook.Decision{Status: webhook.Delivered}, got)
				require.Equal(t, webhook.Decision{Status: webhook.Delivered}, last, "even the last attempt counts")
				return
			case status == 429 || status == 503:
				require.GreaterOrEqual(t, got.Wait, time.Hour, "as asked")
				require.LessOrEqual(t, got.Wait, time.Hour*12/10)
			default:
				require.InDelta(t, s[2], got.Wait, float64(s[2])/5, "by the schedule")
			}
			require.Equal(t, webhook.Retrying, got.Status)
			require.Equal(t, webhook.Decision{Status: webhook.Exhausted}, last)
		})
	}
}

func TestEveryFailureIsRetried(t *testing.T) {
	t.Parallel()
	for _, f := range []webhook.Failure{
		webhook.FailureRefused, webhook.FailureReset, webhook.FailureDNS, webhook.FailureTLS,
		webhook.FailureTimeout, webhook.FailureAddress, webhook.FailureOther,
	} {
		got := webhook.Decide(webhook.DefaultSchedule(), webhook.Attempt{Number: 1, Failure: f}, seed)
		require.Equal(t, webhook.Retrying, got.Status, f)
	}
}

// Workflows replay these numbers: a change here breaks running deliveries and needs a gate in
// workflows/changes.go.
func TestDecideStaysTheSame(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	for n := range 9 {
		waits = append(waits, webhook.Decide(webhook.DefaultSchedule(), webhook.Attempt{Number: n + 1, StatusCode: 500}, seed).Wait)
	}
	require.Equal(t, goldenWaits, waits)
}

var goldenWaits = []time.Duration{
	4398318620, 248410059296, 1991335327396, 7726585219006, 19810362290842,
	38092809610856, 44109271768656, 59370776501370, 77286860402320,
}

func TestDecideNeverComesEarlierThanAsked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := webhook.Schedule(rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, int64(30*24*time.Hour)), func(n int64) time.Duration {
			return time.Duration(n)
		}), 2, 30).Draw(t, "schedule"))
		a := webhook.Attempt{
			Number:       rapid.IntRange(1, len(s)-1).Draw(t, "number"),
			StatusCode:   rapid.SampledFrom([]int{429, 503}).Draw(t, "status"),
			RetryAfterMS: rapid.Int64Range(0, (72*time.Hour).Milliseconds()).Draw(t, "asked"),
		}
		got := webhook.Decide(s, a, rapid.String().Draw(t, "seed"))
		asked := min(a.RetryAfter(), webhook.MaxRetryAfter)
		if got.Status != webhook.Retrying || got.Wait < asked {
			t.Fatalf("asked for %s, got %+v", asked, got)
		}
		if longest := max(asked, s[a.Number]) * 6 / 5; got.Wait > longest+1 {
			t.Fatalf("waits %s, at most %s makes sense", got.Wait, longest)
		}
		if got.Wait < s[a.Number]*4/5-1 {
			t.Fatalf("waits %s, earlier than the schedule's %s", got.Wait, s[a.Number])
		}
	})
}

func TestDeferWaitIsNeverShorterThanAsked(t *testing.T) {
	t.Parallel()
	const asked = 45 * time.Second
	for n := 1; n <= 20; n++ {
		got := webhook.DeferWait(webhook.Deferral{Reason: webhook.DeferBreaker, WaitMS: asked.Milliseconds()}, n, seed)
		require.GreaterOrEqual(t, got, asked)
		require.LessOrEqual(t, got, 36*time.Minute)
	}
}

func TestDeferWait(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		reasons []webhook.DeferReason
		first   time.Duration
	}{
		{[]webhook.DeferReason{webhook.DeferBreaker, webhook.DeferState}, 30 * time.Second},
		{[]webhook.DeferReason{webhook.DeferBulkhead, webhook.DeferInternal, webhook.DeferStopping}, time.Second},
	} {
		for _, reason := range tc.reasons {
			for n := 1; n <= 100; n++ {
				want := 30 * time.Minute
				if n <= 11 {
					want = min(tc.first<<(n-1), want)
				}
				got := webhook.DeferWait(webhook.Deferral{Reason: reason}, n, seed)
				require.InDelta(t, want, got, float64(want)/5, "%s, %d in a row", reason, n)
				require.Equal(t, got, webhook.DeferWait(webhook.Deferral{Reason: reason}, n, seed))
			}
		}
	}
}

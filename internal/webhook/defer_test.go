package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestDeferWaitIsNeverShorterThanAsked(t *testing.T) {
	t.Parallel()
	const asked = 45 * time.Second
	for n := 1; n <= 20; n++ {
		got := webhook.DeferWait(webhook.Deferral{Reason: webhook.DeferInternal, WaitMS: asked.Milliseconds()}, n, seed)
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
		{[]webhook.DeferReason{webhook.DeferState}, 30 * time.Second},
		{[]webhook.DeferReason{webhook.DeferInternal, webhook.DeferStopping}, time.Second},
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

// TestDeferredTogetherTheyDoNotReturnTogether, whether they got a time or not.
func TestDeferredTogetherTheyDoNotReturnTogether(t *testing.T) {
	t.Parallel()
	for _, d := range []webhook.Deferral{{Reason: webhook.DeferInternal}, {Reason: webhook.DeferInternal, WaitMS: 600_000}} {
		for _, n := range []int{1, 20} {
			require.NotEqual(t, webhook.DeferWait(d, n, "evt_1/ep_1"), webhook.DeferWait(d, n, "evt_2/ep_1"), "%+v, %d in a row", d, n)
		}
	}
}

// A slot is one delivery's own, so nothing may move it.
func TestLimitedDeliveriesComeAtTheirSlots(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{0, 1, 99, 100, 60_000, 86_400_000} {
		d := webhook.Deferral{Reason: webhook.DeferLimit, WaitMS: ms}
		for n := 1; n <= 20; n++ {
			require.Equal(t, time.Duration(ms)*time.Millisecond, webhook.DeferWait(d, n, seed))
		}
	}
}

// A place is too, and a turn behind a breaker, but a second is the least a trip through Temporal is
// worth.
func TestDeliveriesComeWhenAPlaceShouldBeFree(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{0, 999, 1001, 60_000} {
		for _, reason := range []webhook.DeferReason{webhook.DeferConcurrency, webhook.DeferBreaker} {
			d := webhook.Deferral{Reason: reason, WaitMS: ms}
			for n := 1; n <= 20; n++ {
				require.Equal(t, time.Duration(max(ms, 1000))*time.Millisecond, webhook.DeferWait(d, n, seed))
			}
		}
	}
}

func TestHeldDeliveriesLookSoonAndThenRarely(t *testing.T) {
	t.Parallel()
	for _, asked := range []time.Duration{0, 20 * time.Minute} {
		d := webhook.Deferral{Reason: webhook.DeferState, WaitMS: asked.Milliseconds()}
		for n := 1; n <= 20; n++ {
			want := webhook.HeldCheck
			if n == 1 {
				want = webhook.FirstHeldCheck
			}
			require.InDelta(t, want, webhook.HeldWait(d, n, seed)-asked, float64(want)/5)
		}
	}
}

func TestWhoAnEndpointRefuses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	active := webhook.Endpoint{State: webhook.EndpointActive}
	releasing := webhook.Endpoint{State: webhook.EndpointActive, Releasing: now.Add(time.Minute)}
	for _, held := range []bool{true, false} {
		require.Nil(t, active.Refuses(now, held))
		require.Nil(t, releasing.Refuses(now.Add(time.Minute), held))
		for _, state := range []webhook.EndpointState{webhook.EndpointHeld, webhook.EndpointPaused} {
			got := webhook.Endpoint{State: state, StateReason: "it keeps failing"}.Refuses(now, held)
			require.Equal(t, &webhook.Deferral{Reason: webhook.DeferState, Detail: "the endpoint is " + string(state) + ": it keeps failing"}, got)
		}
		got := webhook.Endpoint{State: webhook.EndpointDisabled}.Refuses(now, held)
		require.Equal(t, &webhook.Deferral{Reason: webhook.DeferDisabled, Detail: "the endpoint is disabled"}, got)
	}
	byAlice := webhook.Endpoint{State: webhook.EndpointPaused, StateReason: "paused by alice"}
	require.Equal(t, "the endpoint is paused by alice", byAlice.Refuses(now, false).Detail, "it does not say so twice")
	require.Nil(t, releasing.Refuses(now, false), "fresh deliveries go at once")
	require.Equal(t, &webhook.Deferral{
		Reason: webhook.DeferState, Detail: "its place in the release has not come", WaitMS: 60_000,
	}, releasing.Refuses(now, true))
}

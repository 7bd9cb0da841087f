package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestPatience(t *testing.T) {
	t.Parallel()
	for limit, want := range map[webhook.RateLimit]time.Duration{
		{PerSecond: 10, Burst: 1}:    10 * time.Second,
		{PerSecond: 1, Burst: 10}:    10 * time.Second,
		{PerSecond: 1, Burst: 60}:    time.Minute,
		{PerSecond: 0.001, Burst: 1}: 1000 * time.Second,
	} {
		require.Equal(t, want, limit.Patience(), "%+v", limit)
	}
}

func TestDeferToASlot(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.FixedZone("", 3600))
	d := webhook.RateLimit{PerSecond: 2.5, Burst: 1}.Defer(now.Add(1500*time.Millisecond+time.Nanosecond), now)
	require.Equal(t, webhook.DeferLimit, d.Reason)
	require.Equal(t, int64(1501), d.WaitMS, "rounded up")
	require.Equal(t, int64(1500), webhook.RateLimit{PerSecond: 1}.Defer(now.Add(1500*time.Millisecond), now).WaitMS)
	require.Equal(t, now.Add(1500*time.Millisecond+time.Nanosecond).UTC(), d.Until)
	require.Equal(t, "the endpoint takes 2.5 attempts a second; this delivery's slot is at 2026-01-31T11:00:01.500Z", d.Detail)
}

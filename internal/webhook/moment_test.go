package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestParseMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-31T12:00:00Z":        time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		"2026-01-31T12:00:00.5+02:00": time.Date(2026, 1, 31, 10, 0, 0, 5e8, time.UTC),
		// from a query
		"2026-01-31T12:00:00 02:00": time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC),
		"2026-01-31":                time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"1h":                        now.Add(-time.Hour),
		"36h30m":                    now.Add(-36*time.Hour - 30*time.Minute),
		"0s":                        now,
		"0001-01-01T00:00:00.5Z":    time.Date(1, 1, 1, 0, 0, 0, 5e8, time.UTC),
		"9999-12-31":                time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
	} {
		got, err := webhook.ParseMoment(text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, bad := range []string{
		"", "yesterday", "-1h", "1", "1d", "2026-13-01", "2026-01-31T12:00:00", "31.01.2026", "0001-01-01T00:00:00Z",
		"0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-23:59", "0000-06-01",
	} {
		_, err := webhook.ParseMoment(bad, now)
		require.EqualError(t, err, webhook.MomentForms, bad)
		require.NotContains(t, err.Error(), "2006")
	}
}

func TestWhatNeverHappenedHasNoTime(t *testing.T) {
	t.Parallel()
	require.Nil(t, webhook.TimeOrNone(time.Time{}))
	require.Equal(t, happened, *webhook.TimeOrNone(happened))
}

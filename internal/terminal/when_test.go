package terminal_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/terminal"
)

// screen is a terminal in memory.
type screen struct{ bytes.Buffer }

func (screen) IsTerminal() bool { return true }

func TestTimesAreRelativeOnATerminal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for want, d := range map[string]time.Duration{
		"just now": 500 * time.Millisecond, "59 s ago": 59 * time.Second, "1 min ago": 119 * time.Second, "3 h ago": 3*time.Hour + time.Minute,
		"2 d ago": 48 * time.Hour, "in 1 s": -time.Millisecond, "in 5 min": -5 * time.Minute, "2026-01-30": 30 * 24 * time.Hour, "2026-03-31": -30 * 24 * time.Hour,
	} {
		require.Equal(t, want, terminal.When(&screen{}, now.Add(-d), now))
	}
	require.Equal(t, "2026-03-01T12:00:00Z", terminal.When(&bytes.Buffer{}, now, now), "a script reads it")
	require.Equal(t, "2026-03-01T12:00:00Z", terminal.Stamp(&bytes.Buffer{}, now, now))
	require.Equal(t, "2026-03-01T12:00:00Z (1 h ago)", terminal.Stamp(&screen{}, now, now.Add(time.Hour)))
}

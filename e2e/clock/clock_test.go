package clock_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/clock"
)

func TestMain(m *testing.M) {
	if err := clock.Untimed(); err != nil {
		panic(err)
	}
	m.Run()
}

// The clocks are the process's: these tests run one after the other.
func supported(t *testing.T) {
	t.Helper()
	if !clock.Supported() {
		t.Skip("NOT TESTED: the clocks of a process can be moved on Linux on amd64 alone")
	}
}

func TestAdvance(t *testing.T) { //nolint:paralleltest // one clock for all
	supported(t)
	begun, passed := time.Now(), clock.Passed()
	fired := make(chan time.Time, 2)
	time.AfterFunc(24*time.Hour, func() { fired <- time.Now() })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
	defer cancel()
	clock.Advance(4 * time.Hour)
	<-ctx.Done()
	require.Empty(t, fired)
	clock.Advance(21 * time.Hour)
	require.GreaterOrEqual(t, (<-fired).Sub(begun), 25*time.Hour)
	require.GreaterOrEqual(t, time.Since(begun), 25*time.Hour)
	require.GreaterOrEqual(t, time.Now().Round(0).Sub(begun.Round(0)), 25*time.Hour, "the wall clock, too")
	require.Equal(t, 25*time.Hour, clock.Passed()-passed)
	require.Less(t, clock.Real(begun, passed), time.Minute)
	require.Less(t, time.Since(begun), 25*time.Hour+time.Minute, "and no more than that")
}

func TestStep(t *testing.T) { //nolint:paralleltest // one clock for all
	supported(t)
	begun, wall := time.Now(), time.Now().Round(0)
	clock.Step(-time.Hour)
	require.Equal(t, -time.Hour, clock.Stepped())
	require.Less(t, time.Now().Round(0).Sub(wall), -50*time.Minute)
	require.Less(t, time.Since(begun), time.Minute, "timers do not notice")
	require.GreaterOrEqual(t, time.Since(begun), time.Duration(0))
	clock.Step(time.Hour)
	require.Zero(t, clock.Stepped())
}

// TestOfManyThreads: each thread of a busy process sees the time as it is, and answers come in.
func TestOfManyThreads(t *testing.T) { //nolint:paralleltest // one clock for all
	supported(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, time.Now().Format(time.RFC3339))
	}))
	t.Cleanup(s.Close)
	for range 50 {
		clock.Advance(time.Hour)
		resp, err := http.Get(s.URL) //nolint:noctx // on loopback
		require.NoError(t, err)
		said, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		at, err := time.Parse(time.RFC3339, string(said))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), at, time.Minute)
	}
}

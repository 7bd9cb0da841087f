package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

// counts are what waits.
type counts struct {
	approvals, held int
	oldest          time.Time
	err             error
	asked           int
}

func (c *counts) Waiting(context.Context) (approvals int, deliveries map[string]int, err error) {
	c.asked++
	return c.approvals, map[string]int{"pending": 0, "retrying": 0, "held": c.held, "awaiting-approval": 0}, c.err
}

func (c *counts) OldestApproval(context.Context) (time.Time, error) { return c.oldest, c.err }

func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known := &counts{approvals: 2, held: 12345, oldest: time.Now().Add(-time.Hour)}
		told := newTold(t)
		var log bytes.Buffer
		require.NoError(t, told.Watch(known, slog.New(slog.NewTextHandler(&log, nil))))
		names := []string{"hookloop_approvals_waiting", "hookloop_approvals_oldest_seconds", "hookloop_deliveries_waiting"}
		seen := `
# HELP hookloop_approvals_oldest_seconds How long the endpoint has been failing that has failed longest of those that wait for a person's decision; 0: none waits.
# TYPE hookloop_approvals_oldest_seconds gauge
hookloop_approvals_oldest_seconds 3600
# HELP hookloop_approvals_waiting Endpoints that keep failing and wait for a person's decision.
# TYPE hookloop_approvals_waiting gauge
hookloop_approvals_waiting 2
# HELP hookloop_deliveries_waiting Deliveries that were not made at the first attempt and go on: pending, retrying, held, or awaiting-approval because their event may go in circles.
# TYPE hookloop_deliveries_waiting gauge
hookloop_deliveries_waiting{status="awaiting-approval"} 0
hookloop_deliveries_waiting{status="held"} 12345
hookloop_deliveries_waiting{status="pending"} 0
hookloop_deliveries_waiting{status="retrying"} 0
`
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(seen), names...))
		require.Equal(t, 1, known.asked)
		known.approvals = 0
		time.Sleep(29 * time.Second)
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(seen), names...), "a busy scraper asks no more")
		require.Equal(t, 1, known.asked)

		known.err = errors.New("no Temporal")
		time.Sleep(time.Second)
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(""), names...), "nothing rather than what was")
		require.Equal(t, 2, known.asked)
		require.Contains(t, log.String(), "no Temporal")

		known.err = nil
		time.Sleep(30 * time.Second)
		none := strings.NewReplacer("waiting 2", "waiting 0", "seconds 3600", "seconds 0").Replace(seen)
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(none), names...))
	})
}

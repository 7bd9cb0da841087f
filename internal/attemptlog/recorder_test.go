package attemptlog_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// log is a store in memory.
type log struct {
	mu     sync.Mutex
	rows   map[attemptlog.Key]attemptlog.Row
	gaps   map[string]attemptlog.Gap
	writes []int // rows of each
	down   error
	prunes int
}

func newLog() *log {
	return &log{rows: map[attemptlog.Key]attemptlog.Row{}, gaps: map[string]attemptlog.Gap{}}
}

func (l *log) WriteAttempts(_ context.Context, w attemptlog.Write) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down != nil {
		return l.down
	}
	for _, r := range w.Rows {
		l.rows[r.Key()] = r
	}
	for _, g := range w.Gaps {
		l.gaps[g.ID] = g
	}
	l.writes = append(l.writes, len(w.Rows))
	return nil
}

// written is how many rows each write had.
func (l *log) written() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.writes)
}

func (l *log) CloseGap(_ context.Context, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.gaps, id)
	return l.down
}

func (l *log) PruneAttempts(context.Context, attemptlog.Keep, time.Time) (bool, error) {
	l.prunes--
	return l.prunes > 0, l.down
}

func (l *log) TakeGap(_ context.Context, silent, _ time.Time) (attemptlog.Gap, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.gaps {
		if !g.To.IsZero() || g.From.Before(silent) {
			return g, nil
		}
	}
	return attemptlog.Gap{}, nil
}

func (l *log) breaks(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = err
}

func (l *log) open() []attemptlog.Gap {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.gaps))
}

// running starts a Recorder in a bubble.
func running(t *testing.T, c attemptlog.RecorderConfig) (r *attemptlog.Recorder, stop func()) {
	t.Helper()
	r, err := attemptlog.NewRecorder(c)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go r.Run(ctx)
	synctest.Wait()
	return r, func() {
		cancel()
		r.Wait()
	}
}

func TestARecorderWritesInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		r, stop := running(t, attemptlog.RecorderConfig{Store: l, Batch: 3})
		for n := range 4 {
			r.Attempt(event, "ep_1", "run", attempt(n+1, 200, 5))
		}
		r.Deferred(event, "ep_2", "run", began, webhook.Deferral{Reason: webhook.DeferBreaker})
		synctest.Wait()
		require.Equal(t, []int{0, 3}, l.written(), "a full batch goes at once")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []int{0, 3, 2}, l.written(), "and the rest within a second")
		time.Sleep(29 * time.Second)
		synctest.Wait()
		require.Len(t, l.written(), 3)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []int{0, 3, 2, 0}, l.written(), "it says that it lives")
		r.Attempt(event, "ep_1", "run", attempt(9, 200, 5))
		stop()
		require.Len(t, l.rows, 6)
		require.Empty(t, l.gaps, "it ended in good order")
	})
}

func TestWhatARecorderDropsIsAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, metrics := newLog(), prometheus.NewRegistry()
		r, stop := running(t, attemptlog.RecorderConfig{Store: l, Batch: 2, Queue: 3, Metrics: metrics})
		l.breaks(errors.New("disk full"))
		for n := range 10 {
			r.Attempt(event, "ep_1", "run", attempt(n+1, 200, 5))
			synctest.Wait()
		}
		require.Len(t, l.open(), 1, "its own")
		since := l.open()[0].From
		l.breaks(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		require.Len(t, l.rows, 5, "a batch of two, and a queue of three")
		var lost []attemptlog.Gap
		for _, g := range l.open() {
			if !g.To.IsZero() {
				lost = append(lost, g)
			} else {
				require.True(t, g.From.After(since))
			}
		}
		require.Len(t, lost, 1)
		require.Equal(t, attempt(6, 0, 0).At, lost[0].From)
		require.Equal(t, attempt(10, 0, 0).At, lost[0].To)
		require.InDelta(t, 5, testutil.ToFloat64(gathered(t, metrics, "hookloop_attempt_log_dropped_total")), 1e-9)
		stop()
		require.Len(t, l.open(), 1, "what was dropped is still to be mended")
	})
}

// gathered is a counter with what a registry says of it.
func gathered(t *testing.T, from *prometheus.Registry, name string) prometheus.Counter {
	t.Helper()
	all, err := from.Gather()
	require.NoError(t, err)
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name})
	for _, f := range all {
		if f.GetName() == name {
			c.Add(f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return c
}

func TestAProcessThatCannotWriteAtItsEndLeavesItsGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		r, stop := running(t, attemptlog.RecorderConfig{Store: l})
		r.Attempt(event, "ep_1", "run", attempt(1, 200, 5))
		l.breaks(errors.New("away"))
		stop()
		require.Len(t, l.open(), 1)
		require.Zero(t, l.open()[0].To, "it is open")
		require.Empty(t, l.rows)
	})
}

func TestARecorderNeedsAStore(t *testing.T) {
	t.Parallel()
	_, err := attemptlog.NewRecorder(attemptlog.RecorderConfig{})
	require.EqualError(t, err, "attemptlog: Store is missing")
	metrics := prometheus.NewRegistry()
	_, err = attemptlog.NewRecorder(attemptlog.RecorderConfig{Store: newLog(), Metrics: metrics})
	require.NoError(t, err)
	_, err = attemptlog.NewRecorder(attemptlog.RecorderConfig{Store: newLog(), Metrics: metrics})
	require.ErrorContains(t, err, "metrics")
}

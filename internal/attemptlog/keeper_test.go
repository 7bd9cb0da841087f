package attemptlog_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// histories has runs on pages of two, and what their attempts were.
type histories struct {
	runs  []attemptlog.Run
	rows  map[string][]attemptlog.Row
	fails map[string]error
	asked [2]time.Time
	down  error  // no list
	read  func() // while one is read; nil: that takes no time
}

func (h *histories) Attempted(_ context.Context, _ string, after, before time.Time, page []byte) ([]attemptlog.Run, []byte, error) {
	if h.down != nil {
		return nil, nil, h.down
	}
	h.asked = [2]time.Time{after, before}
	n := 0
	if len(page) > 0 {
		n = int(page[0])
	}
	if end := n + 2; end < len(h.runs) {
		return h.runs[n:end], []byte{byte(end)}, nil
	}
	return h.runs[n:], nil, nil
}

func (h *histories) Rows(_ context.Context, r attemptlog.Run) ([]attemptlog.Row, error) {
	if h.read != nil {
		h.read()
	}
	return slices.Clone(h.rows[r.RunID]), h.fails[r.RunID]
}

func kept() *histories {
	return &histories{
		runs:  []attemptlog.Run{{RunID: "a"}, {RunID: "shut"}, {RunID: "gone"}, {RunID: "b"}},
		rows:  map[string][]attemptlog.Row{"a": {row(1, 503, 1), row(2, 200, 1)}, "b": {row(7, 200, 1)}},
		fails: map[string]error{"shut": attemptlog.ErrShut, "gone": webhook.Errorf(webhook.NotFound, "gone")},
	}
}

func TestRebuildReadsEachHistory(t *testing.T) {
	t.Parallel()
	l, h := newLog(), kept()
	var told []attemptlog.Rebuilt
	done, err := attemptlog.Rebuild(t.Context(), attemptlog.RebuildConfig{
		Histories: h, Store: l, From: began.Add(2 * time.Second), To: began.Add(time.Minute),
		Progress: func(r attemptlog.Rebuilt) { told = append(told, r) },
	})
	require.NoError(t, err)
	require.Equal(t, attemptlog.Rebuilt{Runs: 4, Attempts: 2, Unreadable: 1}, done)
	require.Equal(t, []attemptlog.Rebuilt{{Runs: 2, Attempts: 1, Unreadable: 1}, done}, told)
	require.Len(t, l.rows, 2, "the first one began before")
	require.True(t, h.asked[0].Before(began) && h.asked[1].After(began.Add(time.Minute)), "clocks differ")

	h.fails["b"] = errors.New("Temporal is away")
	_, err = attemptlog.Rebuild(t.Context(), attemptlog.RebuildConfig{Histories: h, Store: l, To: began.Add(time.Minute)})
	require.EqualError(t, err, "Temporal is away")
}

func TestAKeeperMendsWhatIsMissing(t *testing.T) {
	t.Parallel()
	l, h, now := newLog(), kept(), began.Add(time.Hour)
	l.gaps = map[string]attemptlog.Gap{
		"dropped": {ID: "dropped", From: row(2, 0, 0).At, To: row(2, 0, 0).At},
		"alive":   {ID: "alive", From: now.Add(-time.Minute)},
	}
	l.prunes = 3
	k := attemptlog.NewKeeper(attemptlog.KeeperConfig{Store: l, Histories: h, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	require.NoError(t, k.Once(t.Context()))
	require.Zero(t, l.prunes, "until nothing is left to delete")
	require.Len(t, l.rows, 1)
	require.Contains(t, l.rows, row(2, 200, 1).Key())
	require.Len(t, l.open(), 1, "of the process that lives")

	now = now.Add(time.Hour) // it has said nothing since
	l.gaps["alive"] = attemptlog.Gap{ID: "alive", From: began.Add(2 * time.Minute)}
	require.NoError(t, k.Once(t.Context()))
	require.Len(t, l.rows, 3, "attempts that had begun a little before, too")
	require.Empty(t, l.open())
}

// TestAGapThatCannotBeMendedStays: closed, it would hide attempts for good. It is mended once that
// is possible.
func TestAGapThatCannotBeMendedStays(t *testing.T) {
	t.Parallel()
	trouble := errors.New("out of reach")
	for name, fail := range map[string]func(l *log, h *histories, stop func()) (mend func()){
		"a history cannot be read": func(_ *log, h *histories, _ func()) func() {
			h.fails["a"] = trouble
			return func() { delete(h.fails, "a") }
		},
		"histories cannot be listed": func(_ *log, h *histories, _ func()) func() {
			h.down = trouble
			return func() { h.down = nil }
		},
		"rows cannot be written": func(l *log, _ *histories, _ func()) func() {
			l.down = trouble
			return func() { l.down = nil }
		},
		"the process ends": func(_ *log, h *histories, stop func()) func() {
			h.read = stop
			return func() { h.read = nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, h := newLog(), kept()
			l.gaps["g"] = attemptlog.Gap{ID: "g", From: began, To: began.Add(time.Minute)}
			k := attemptlog.NewKeeper(attemptlog.KeeperConfig{Store: l, Histories: h, Logger: slog.New(slog.DiscardHandler)})
			ctx, stop := context.WithCancel(t.Context())
			mend := fail(l, h, stop)
			err := k.Once(ctx)
			require.Error(t, err)
			if ctx.Err() == nil {
				require.ErrorIs(t, err, trouble)
			}
			require.Len(t, l.open(), 1)
			mend()
			require.NoError(t, k.Once(t.Context()))
			require.Empty(t, l.open())
			require.Len(t, l.rows, 3)
			stop()
		})
	}
}

// TestWhatNotEveryDatabaseKeepsIsLeftOut: PostgreSQL would refuse it, and each row that is written
// with it.
func TestWhatNotEveryDatabaseKeepsIsLeftOut(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{"a\x00b": "a\ufffdb", "a\xffb": "a\ufffdb", "Zoë": "Zoë"} {
		r := attemptlog.NewRow(webhook.Event{}, "ep_1", "run", webhook.Attempt{Error: said})
		require.Equal(t, want, r.Error)
	}
}

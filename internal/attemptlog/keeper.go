package attemptlog

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Keep says how much of the log is kept.
type Keep struct {
	Age  time.Duration // of attempts, and of counts by the hour
	Rows int64         // attempts of all tenants; the oldest go first. Their counts stay.
}

// PruneBatch is how many rows of a kind are deleted at once: some milliseconds.
const PruneBatch = 1000

// Store is what a Keeper needs of the log.
type Store interface {
	Writer
	// PruneAttempts deletes some of what is too much; more says that there may be more of it.
	PruneAttempts(ctx context.Context, k Keep, now time.Time) (more bool, err error)
	// TakeGap gives a gap to mend, and to no other caller for a while: one whose end is known, or
	// whose process was last heard of before silent. The zero Gap: there is none.
	TakeGap(ctx context.Context, silent, now time.Time) (Gap, error)
}

// KeeperConfig is what a Keeper needs, all of it but the last.
type KeeperConfig struct {
	Store     Store
	Histories Histories
	Keep      Keep
	Logger    *slog.Logger
	Now       func() time.Time // nil: time.Now
}

// Keeper deletes what is old or too much, and makes lost rows again. Several processes may do so
// side by side.
type Keeper struct{ cfg KeeperConfig }

// NewKeeper makes one.
func NewKeeper(c KeeperConfig) *Keeper {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Keeper{c}
}

const (
	// keepEvery is how often a Keeper looks.
	keepEvery = time.Minute
	// silence is after how long a process that said nothing is taken for ended. It speaks every
	// seenEvery; clocks differ.
	silence = 3 * time.Minute
	// late is how long before a row was missed its attempt may have begun: it has a time-out, and
	// its row waited in a queue.
	late = 2 * time.Minute
	// pause lets others have the database between two deletions, and Temporal between two
	// histories.
	pause = 20 * time.Millisecond
)

// Run works until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := k.Once(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Logger.Warn("attempt log", slog.String("error", err.Error()))
		}
		wait(ctx, keepEvery+rand.N(keepEvery/4))
	}
}

// Once deletes what there is to delete and mends what there is to mend.
func (k *Keeper) Once(ctx context.Context) error {
	for more, err := true, error(nil); more; wait(ctx, pause) {
		if more, err = k.cfg.Store.PruneAttempts(ctx, k.cfg.Keep, k.cfg.Now()); err != nil {
			return err
		}
	}
	for {
		now := k.cfg.Now()
		gap, err := k.cfg.Store.TakeGap(ctx, now.Add(-silence), now)
		if err != nil || gap.ID == "" {
			return err
		}
		if err := k.mend(ctx, gap, now); err != nil {
			return err
		}
	}
}

// mend makes the rows of a gap again. A gap that cannot be mended stays, and has its turn again.
func (k *Keeper) mend(ctx context.Context, gap Gap, now time.Time) error {
	if gap.To.IsZero() {
		gap.From, gap.To = gap.From.Add(-late), now
	}
	made, err := Rebuild(ctx, RebuildConfig{
		Histories: k.cfg.Histories, Store: k.cfg.Store, From: gap.From, To: gap.To.Add(time.Microsecond), Pause: pause, Now: k.cfg.Now,
	})
	if err != nil {
		return err
	}
	k.cfg.Logger.Info("attempt log mended", slog.Time("from", gap.From), slog.Time("to", gap.To),
		slog.Int("attempts", made.Attempts), slog.Int("unreadable", made.Unreadable))
	return k.cfg.Store.CloseGap(ctx, gap.ID)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

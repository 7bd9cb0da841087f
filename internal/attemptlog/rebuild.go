package attemptlog

import (
	"context"
	"errors"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// Run names one run of a workflow.
type Run struct{ WorkflowID, RunID string }

// ErrShut says that a history is encrypted with a key that is not at hand.
var ErrShut = errors.New("the history is encrypted with a key that is not at hand")

// Histories reads attempts out of the histories that Temporal keeps.
type Histories interface {
	// Attempted lists runs of events and deliveries that were there at some time between two, of
	// one tenant or, empty, of all, and where the next page begins; nil: that was the last.
	Attempted(ctx context.Context, tenant string, after, before time.Time, page []byte) ([]Run, []byte, error)
	// Rows are those of the attempts that a run made, in their order. The error is ErrShut, or
	// carries webhook.NotFound when Temporal has no such run, or no more.
	Rows(ctx context.Context, r Run) ([]Row, error)
}

// RebuildConfig says what is made again.
type RebuildConfig struct {
	Histories Histories
	Store     Writer

	Tenant   string // empty: all
	From, To time.Time
	Pause    time.Duration    // after each history
	Progress func(Rebuilt)    // called after each page; nil: nothing is told
	Now      func() time.Time // nil: time.Now
}

// Rebuilt is how far a rebuild has come.
type Rebuilt struct {
	Runs       int `json:"runs"`       // histories read
	Attempts   int `json:"attempts"`   // rows written, deferrals among them
	Unreadable int `json:"unreadable"` // histories that are encrypted with a key that is not at hand
}

// slack is how far apart clocks may be: an attempt has its worker's time, a run its server's.
const slack = time.Minute

// rebuildBatch is how many rows are written at once: others write to the database, too.
const rebuildBatch = 500

// Rebuild makes the rows of the attempts that began in [From, To) from histories. It may run beside
// a Recorder, and again: rows that are there stay as they are.
func Rebuild(ctx context.Context, c RebuildConfig) (done Rebuilt, err error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	for page, more := []byte(nil), true; more; more = len(page) > 0 {
		var runs []Run
		runs, page, err = c.Histories.Attempted(ctx, c.Tenant, c.From.Add(-slack), c.To.Add(slack), page)
		if err != nil {
			return done, err
		}
		if err := c.rebuild(ctx, runs, &done); err != nil {
			return done, err
		}
		if c.Progress != nil {
			c.Progress(done)
		}
	}
	return done, nil
}

func (c RebuildConfig) rebuild(ctx context.Context, runs []Run, done *Rebuilt) error {
	var rows []Row
	for _, r := range runs {
		found, err := c.Histories.Rows(ctx, r)
		switch {
		case errors.Is(err, ErrShut):
			done.Unreadable++
		case webhook.CodeOf(err) == webhook.NotFound: // gone since it was listed
		case err != nil:
			return err
		}
		done.Runs++
		rows = append(rows, slices.DeleteFunc(found, func(r Row) bool { return r.At.Before(c.From) || !r.At.Before(c.To) })...)
		if c.Pause > 0 {
			wait(ctx, c.Pause)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(rows, rebuildBatch) {
		if err := c.Store.WriteAttempts(ctx, Write{Rows: some, Now: c.Now()}); err != nil {
			return err
		}
		done.Attempts += len(some)
	}
	return nil
}

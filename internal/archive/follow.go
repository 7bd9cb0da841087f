package archive

import (
	"context"
	"time"

	"hookloop/internal/orchestrator"
)

// The pause between two looks for what has ended meanwhile: five times as long as the look took,
// within bounds. So following costs a sixth of what Temporal and disk have to give, or less.
const (
	followLoad  = 5
	followLeast = 10 * time.Second
	followMost  = time.Minute
)

// Follow runs again and again until ctx ends, which is its good end. It hands each run that found
// something to found, and while Temporal is away it hands the reason to away and waits.
func (a *Archiver) Follow(ctx context.Context, since time.Time, found func(Report) error, away func(error)) error {
	for first := true; ; first = false {
		began := time.Now()
		r, err := a.Run(ctx, since, time.Time{})
		if r.Archived > 0 || r.Erased > 0 || r.Late {
			if err := found(r); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			since = time.Time{} // from now on, where this one stopped
		} else if orchestrator.FromTemporal(err) {
			away(err)
		} else {
			return err
		}
		rest := min(max(followLeast, followLoad*time.Since(began)), followMost)
		if first { // it may have had a month to copy
			rest = followLeast
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
	}
}

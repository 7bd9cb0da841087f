package attemptlog

import (
	"context"
	"time"
)

// Gap is a time of whose attempts some may be missing in the log.
type Gap struct {
	ID   string
	From time.Time
	To   time.Time // zero: until now
}

// with is the time from the beginning of the first to the end of the last. A gap without a
// beginning is none.
func (g Gap) with(o Gap) Gap {
	if g.From.IsZero() {
		return o
	}
	if o.From.Before(g.From) {
		g.From = o.From
	}
	if o.To.After(g.To) {
		g.To = o.To
	}
	return g
}

// Writer stores rows. Writing a row again changes nothing, and one with another content replaces
// the one before.
type Writer interface {
	// WriteAttempts stores all of it or nothing.
	WriteAttempts(ctx context.Context, w Write) error
	// CloseGap says that nothing is missing any more.
	CloseGap(ctx context.Context, id string) error
}

// Write is what is stored at once.
type Write struct {
	Rows []Row
	Gaps []Gap // each replaces the one of its id
	Now  time.Time
}

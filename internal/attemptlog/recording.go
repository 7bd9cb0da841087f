package attemptlog

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"
)

// recording is what Run has in hand.
type recording struct {
	*Recorder

	self   Gap // what would be missing if this process ended now
	rows   []Row
	failed bool // the latest write
}

// incoming is the queue, or nil while a full batch waits for the store.
func (w *recording) incoming() <-chan *Row {
	if len(w.rows) >= w.batch {
		return nil
	}
	return w.queue
}

// flush writes what there is. What cannot be written stays, and the queue fills behind it.
func (w *recording) flush(ctx context.Context) {
	now := w.now()
	if len(w.rows) == 0 && now.Sub(w.self.From) < seenEvery {
		return
	}
	lost := w.takeLost()
	all := Write{Rows: w.rows, Gaps: append(lost, Gap{ID: w.self.ID, From: now}), Now: now}
	if err := w.store.WriteAttempts(ctx, all); err != nil {
		w.putBack(lost)
		if !w.failed && ctx.Err() == nil {
			w.log.Warn("attempt log", slog.String("error", err.Error()))
		}
		w.failed = true
		return
	}
	w.written.Add(float64(len(w.rows)))
	w.self.From, w.failed, w.rows = now, false, w.rows[:0]
}

// takeLost gives the gap of the rows that were dropped since it was last asked.
func (r *Recorder) takeLost() []Gap {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := r.lost
	r.lost = Gap{}
	if lost.From.IsZero() {
		return nil
	}
	lost.ID = rand.Text()
	return []Gap{lost}
}

func (r *Recorder) putBack(lost []Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range lost {
		r.lost = r.lost.with(g)
	}
}

// finishWithin bounds what is written after the end.
const finishWithin = 5 * time.Second

// finish writes what is in the queue. A process that could not leaves its gap open, and another
// one, or its next start, finds it.
func (w *recording) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	for w.failed = false; !w.failed; {
		for len(w.queue) > 0 && len(w.rows) < w.batch {
			w.rows = append(w.rows, *<-w.queue)
		}
		if len(w.rows) == 0 {
			break
		}
		w.flush(ctx)
	}
	if w.failed {
		return
	}
	err := w.store.WriteAttempts(ctx, Write{Gaps: w.takeLost(), Now: w.now()})
	if err == nil {
		err = w.store.CloseGap(ctx, w.self.ID)
	}
	if err != nil {
		w.log.Warn("attempt log", slog.String("error", err.Error()))
	}
}

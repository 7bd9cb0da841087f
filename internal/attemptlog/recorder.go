package attemptlog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hookloop/internal/webhook"
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

// RecorderConfig is what a Recorder needs.
type RecorderConfig struct {
	Store   Writer
	Metrics prometheus.Registerer // nil: counts are shown nowhere
	Logger  *slog.Logger          // nil: says nothing
	Now     func() time.Time      // nil: time.Now

	Queue int           // rows that wait in memory at most; 0: 16,384
	Batch int           // rows written at once at most; 0: 500
	Every time.Duration // how long a row waits at most, while the store answers; 0: 1 s
}

// Recorder writes rows behind the backs of those who make them. They wait in a bounded queue. Rows
// that find no room are counted and dropped, and the time they are of is noted as a gap, as is the
// time since a process was last heard of that ended without closing its Recorder.
type Recorder struct {
	store Writer
	log   *slog.Logger
	now   func() time.Time
	batch int
	every time.Duration
	queue chan *Row
	ended chan struct{} // Run has returned

	written, dropped prometheus.Counter

	mu   sync.Mutex
	lost Gap // of dropped rows; a zero From: there are none
}

// seenEvery is how often a Recorder that has nothing to write says that it lives.
const seenEvery = 30 * time.Second

// NewRecorder makes one. Nothing is written before Run.
func NewRecorder(c RecorderConfig) (*Recorder, error) {
	if c.Store == nil {
		return nil, errors.New("attemptlog: Store is missing")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Queue == 0 {
		c.Queue = 16384
	}
	if c.Batch == 0 {
		c.Batch = 500
	}
	if c.Every == 0 {
		c.Every = time.Second
	}
	r := &Recorder{
		store: c.Store, log: c.Logger, now: c.Now, batch: c.Batch, every: c.Every,
		queue: make(chan *Row, c.Queue), ended: make(chan struct{}),
	}
	return r, r.measure(c.Metrics)
}

func (r *Recorder) measure(to prometheus.Registerer) error {
	r.written = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hookloop_attempt_log_written_total", Help: "Rows written to the attempt log.",
	})
	r.dropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hookloop_attempt_log_dropped_total", Help: "Rows for which the attempt log's queue had no room. They are made again from histories.",
	})
	if to == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{r.written, r.dropped} {
		if err := to.Register(c); err != nil {
			return fmt.Errorf("attemptlog: metrics: %w", err)
		}
	}
	return nil
}

// Attempt takes in an attempt that a run of a workflow made. It never waits.
func (r *Recorder) Attempt(e webhook.Event, endpointID, runID string, a webhook.Attempt) {
	r.record(NewRow(e, endpointID, runID, a))
}

// Deferred takes in that a delivery's first turn passed without an attempt. It never waits.
func (r *Recorder) Deferred(e webhook.Event, endpointID, runID string, accepted time.Time, d webhook.Deferral) {
	r.record(NewDeferral(e, endpointID, runID, accepted, d))
}

func (r *Recorder) record(row Row) {
	select {
	case r.queue <- &row:
	default:
		r.drop(row)
	}
}

func (r *Recorder) drop(row Row) {
	r.dropped.Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = r.lost.with(Gap{From: row.At, To: row.At})
}

// Run writes until ctx ends, and then what is left, for a few seconds at most. Those who record
// should have ended by then.
func (r *Recorder) Run(ctx context.Context) {
	defer close(r.ended)
	w := recording{Recorder: r, self: Gap{ID: rand.Text()}}
	w.flush(ctx) // from here on, what this process leaves undone is known
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.finish(ctx)
			return
		case <-tick.C:
			w.flush(ctx)
		case row := <-w.open():
			if w.rows = append(w.rows, *row); len(w.rows) >= r.batch {
				w.flush(ctx)
			}
		}
	}
}

// Wait waits until Run has returned.
func (r *Recorder) Wait() { <-r.ended }

// recording is what Run has in hand.
type recording struct {
	*Recorder

	self   Gap // what would be missing if this process ended now
	rows   []Row
	failed bool // the latest write
}

// open is the queue, or nil while a full batch waits for the store.
func (w *recording) open() <-chan *Row {
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

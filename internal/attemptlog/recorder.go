package attemptlog

import (
	"cmp"
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
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Queue = cmp.Or(c.Queue, 16384)
	c.Batch = cmp.Or(c.Batch, 500)
	c.Every = cmp.Or(c.Every, time.Second)
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
		case row := <-w.incoming():
			if w.rows = append(w.rows, *row); len(w.rows) >= r.batch {
				w.flush(ctx)
			}
		}
	}
}

// Wait waits until Run has returned.
func (r *Recorder) Wait() { <-r.ended }

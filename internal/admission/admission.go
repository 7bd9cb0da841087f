// Package admission decides how many acceptances are under way at once. What is beyond what the
// machine carries waits for a moment, in a line of its tenant's own, or is refused at once: neither
// makes the others slower. How many that are is found by failsafe-go's adaptive limiter (ADR 14),
// from how long acceptances take; the lines are ours. The gateway asks before it accepts, and says
// what the client reads.
package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/prometheus/client_golang/prometheus"
)

// How many acceptances may be under way. Sixteen saturate an embedded Temporal, whose database
// takes one after the other; a cluster takes more, and is found to.
const (
	fewest  = 16 // and the first
	slowest = 4  // where each takes far longer than clients are let wait
	most    = 512
	samples = 50 // that an adjustment needs
)

// The time between two adjustments.
const (
	shortestWindow = 200 * time.Millisecond
	longestWindow  = 5 * time.Second
)

const (
	// firstGuess is how long an acceptance takes, before any has ended.
	firstGuess = 50 * time.Millisecond
	// foreseen bounds how long a client is let wait, by how long acceptances take now.
	foreseen = 500 * time.Millisecond
	// mostWaiting bounds the bodies that are kept meanwhile: 256 MiB if all are of the largest
	// size.
	mostWaiting = 1024
	fewWaiting  = 16
	// patience bounds how long it does wait, if they take longer than foreseen.
	patience = 1500 * time.Millisecond
	// longestRetry bounds what a refused client is told to wait.
	longestRetry = 10 * time.Second
	// warned is how often the log may say that clients are refused.
	warned = 10 * time.Second
)

// The outcomes of hookloop_admissions_total.
const (
	admitted = "admitted" // at once
	waited   = "waited"   // after a wait
	refused  = "refused"  // at once
	timedOut = "timed_out"
	left     = "left" // the client did
)

// Refusal says that there is no room. It is worth another try.
type Refusal struct {
	Limit int           // how many acceptances may be under way now
	Retry time.Duration // when there should be room, in whole seconds, at least one
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%d events are being accepted at once, and more is not possible", r.Limit)
}

// Config is what a gate is made of.
type Config struct {
	Metrics prometheus.Registerer // nil: shows none
	Logger  *slog.Logger          // nil: says nothing
}

// Gate is where acceptances come in.
type Gate struct {
	limiter  adaptivelimiter.AdaptiveLimiter[any]
	outcomes *prometheus.CounterVec
	log      *slog.Logger

	mu      sync.Mutex
	lines   lines
	took    time.Duration // a moving average of how long a place was taken
	pace    time.Duration // and of that, divided by how many were taken: after so long one comes free
	refused int           // since the log said so
	warned  time.Time
}

// New gives a gate that lets in a few, and learns.
func New(c Config) (*Gate, error) {
	g := &Gate{lines: newLines(), log: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)), took: firstGuess, pace: firstGuess / fewest}
	g.limiter = adaptivelimiter.NewBuilder[any]().WithLimits(fewest, most, fewest).
		WithRecentWindow(shortestWindow, longestWindow, samples).WithMaxLimitFunc(g.sensible).Build()
	return g, g.measure(c.Metrics)
}

// headroom is how many times as many as are under way the limit may be: for a burst.
const headroom = 5

// sensible bounds the limit. Where an acceptance takes as long as clients are let wait, more of
// them at once only take longer.
func (g *Gate) sensible(inFlight int) float64 {
	if g.took > foreseen {
		return fewest
	}
	return headroom * float64(inFlight)
}

// Place is one acceptance that may be under way.
type Place struct {
	gate   *Gate
	permit adaptivelimiter.Permit
	since  time.Time
	among  int // that were under way when it was given, itself included
}

// Full says whether a tenant's next acceptance would be refused: before its body is read.
func (g *Gate) Full(tenant string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lines.waiting < g.mayWait() || g.lines.unfair(tenant) != nil {
		return nil
	}
	return g.refuse()
}

// Enter gives a place. Where there is none, it waits in the tenant's line, for a second and a half;
// a patient one, whose client would send everything again, waits until ctx ends. The error is a
// *Refusal, or says that ctx has ended.
func (g *Gate) Enter(ctx context.Context, tenant string, patient bool) (*Place, error) {
	g.mu.Lock()
	g.serve() // the limit may have grown
	if g.lines.waiting == 0 {
		if permit, ok := g.free(); ok {
			g.mu.Unlock()
			g.outcomes.WithLabelValues(admitted).Inc()
			return g.place(permit), nil
		}
	}
	w, err := g.join(tenant, patient)
	g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return g.wait(ctx, w)
}

// join takes a place in the tenant's line. If the lines are full and another tenant's is longer,
// the last there is refused instead: no tenant's flood keeps out another's single event.
func (g *Gate) join(tenant string, patient bool) (*waiter, error) {
	if !patient && g.lines.waiting >= g.mayWait() {
		last := g.lines.unfair(tenant)
		if last == nil {
			return nil, g.refuse()
		}
		g.lines.leave(last)
		last.refused <- g.refuse()
	}
	return g.lines.join(tenant, patient), nil
}

func (g *Gate) wait(ctx context.Context, w *waiter) (*Place, error) {
	var over <-chan time.Time
	if !w.patient {
		t := time.NewTimer(patience)
		defer t.Stop()
		over = t.C
	}
	select {
	case permit := <-w.called:
		g.outcomes.WithLabelValues(waited).Inc()
		return g.place(permit), nil
	case err := <-w.refused:
		return nil, err
	case <-over:
		return nil, g.giveUp(w, timedOut, nil)
	case <-ctx.Done():
		return nil, g.giveUp(w, left, ctx.Err())
	}
}

// giveUp leaves the line, or passes on the place that came at the last moment.
func (g *Gate) giveUp(w *waiter, outcome string, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case permit := <-w.called:
		permit.Drop()
		g.serve()
	default:
		g.lines.leave(w)
	}
	g.outcomes.WithLabelValues(outcome).Inc()
	if err == nil {
		err = g.refusal()
	}
	return err
}

func (g *Gate) place(permit adaptivelimiter.Permit) *Place {
	return &Place{gate: g, permit: permit, since: time.Now(), among: max(g.limiter.Inflight(), 1)}
}

// Leave gives the place back, with what came of the acceptance. One that its client broke off says
// nothing of how long one takes.
func (p *Place) Leave(ctx context.Context, err error) {
	g, brokenOff := p.gate, errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled)
	g.mu.Lock()
	defer g.mu.Unlock()
	if brokenOff {
		p.permit.Drop()
	} else {
		p.permit.Record()
		took := time.Since(p.since)
		g.took += (took - g.took) / 16
		g.pace += (took/time.Duration(p.among) - g.pace) / 16
	}
	g.serve()
}

// serve admits acceptances that wait, the tenants in turn, as long as there are places.
func (g *Gate) serve() {
	for g.lines.waiting > 0 {
		permit, ok := g.free()
		if !ok {
			return
		}
		g.lines.next().called <- permit
	}
}

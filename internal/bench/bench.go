// Package bench measures a running Hookloop from outside, as apps and endpoints see it: it posts
// events at a pace, plays the endpoints, and reads what the processes say of themselves. It decides
// how a measurement goes and what its figures mean; where Hookloop comes from (`dev` in a process
// of its own, a cluster) is its callers' business: `hookloop bench` and e2e/cluster/run.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Patience bounds the wait for what should have come by itself.
const Patience = 30 * time.Second

// Target is a Hookloop to be measured.
type Target struct {
	Gateways []string // base URLs, posted to in turn
	Metrics  []string // base URLs of the processes that tell metrics
	Token    string   // every scope, every tenant
	// CPU is what everything that belongs to Hookloop has used: its processes, and Temporal and the
	// database where those are processes of their own.
	CPU func(context.Context) (time.Duration, error)
	// Deliveries counts the Delivery workflows ever begun.
	Deliveries func(context.Context) (int, error)
	// Close ends it. Never nil.
	Close func()
}

// World is where targets come from.
type World struct {
	// Start gives a target. Whether it is a fresh one decides the world; each measurement has a
	// tenant of its own in either case.
	Start func(context.Context) (*Target, error)
	// Progress is told how it goes, in lines.
	Progress io.Writer
}

// Load is what all measurements need to know. A zero field means the measurement's own default.
type Load struct {
	Rate      float64       // offered, events per second; 0: closed loop, each client as fast as it is answered
	Half      bool          // offer half of the machine's own peak instead; Rate is not looked at
	Endpoints int           // the events are spread over so many, by type
	Duration  time.Duration // of what is measured
	Events    int           // instead of Duration
	Clients   int           // of a closed loop
	Size      int           // bytes of data in each event
	Seed      uint64        // of what is drawn
	Retry     time.Duration // the wait between two attempts of a delivery
}

var errInterrupted = errors.New("interrupted")

// peakClients saturate any machine that was measured so far.
const peakClients = 32

// How long the peak is measured, and what is left out before: the caches fill.
const (
	peakWarm   = 3 * time.Second
	peakWindow = 10 * time.Second
)

// Peak measures how many events per second are delivered at most to an endpoint that answers at
// once.
func Peak(ctx context.Context, w World, l Load) (accepted, delivered float64, err error) {
	l.Rate, l.Half, l.Events, l.Duration, l.Clients = 0, false, 0, peakWindow, peakClients
	s, err := w.stage(ctx, l, EndpointConfig{})
	if err != nil {
		return 0, 0, err
	}
	defer s.close()
	if _, err := s.run(ctx, peakWarm); err != nil {
		return 0, 0, err
	}
	r, err := s.run(ctx, peakWindow)
	if err != nil {
		return 0, 0, err
	}
	_, _ = fmt.Fprintf(w.Progress, "peak: %.0f accepted/s, %.0f delivered/s\n", r.acceptedPerSecond(), r.deliveredPerSecond())
	return r.acceptedPerSecond(), r.deliveredPerSecond(), nil
}

// span is how long a load lasts at a rate.
func (l Load) span(rate float64, otherwise time.Duration) time.Duration {
	switch {
	case l.Events > 0 && rate > 0:
		return time.Duration(float64(l.Events) / rate * float64(time.Second))
	case l.Duration > 0:
		return l.Duration
	default:
		return otherwise
	}
}

// milliseconds is a figure as results show it.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Percentile is by nearest rank, in milliseconds.
func Percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := max((len(sorted)*p+99)/100, 1)
	return milliseconds(sorted[rank-1])
}

// times are the figures of a sorted list, in milliseconds.
type times struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func summary(all []time.Duration) times {
	slices.Sort(all)
	return times{Percentile(all, 50), Percentile(all, 95), Percentile(all, 99), Percentile(all, 100)}
}

// ratio is 0 where there is nothing to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

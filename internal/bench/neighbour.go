package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What two neighbours do: one has endpoints that accept connections and never answer, the other
// sends at a pace that leaves any machine idle most of the time.
const (
	neighbourPairs   = 5
	neighbourWindow  = 20 * time.Second
	neighbourSettle  = 5 * time.Second // before each window: caches fill, what was put off gets where it waits
	neighbourRate    = 20
	neighbourEvents  = 1000             // for the endpoint that never answers
	neighbourPosting = 2 * time.Minute  // they must be accepted by then, or the measurement is given up
	neighbourTimeout = 30 * time.Second // of an attempt at an endpoint that never answers: the longest there is
)

// Noisy says what the neighbour does.
type Noisy struct {
	Attempts  int // events times endpoints; 0: 1,000
	Endpoints int // that hang; each event is for all of them; 0: 1
	Pairs     int // of measurements, alone and beside; 0: 5
}

// NeighbourResult says what the one costs the other, in milliseconds from the moment the app is to
// begin its POST to the moment the healthy endpoint has the event: medians of the pairs.
type NeighbourResult struct {
	P50Alone   float64 `json:"neighbour_p50_ms_alone"`
	P99Alone   float64 `json:"neighbour_p99_ms_alone"`
	P50Beside  float64 `json:"neighbour_p50_ms_beside"` // the neighbour's events are accepted and cannot be delivered
	P99Beside  float64 `json:"neighbour_p99_ms_beside"`
	Ratio      float64 `json:"neighbour_ratio"`          // p99 beside ÷ p99 alone
	P99Posting float64 `json:"neighbour_p99_ms_posting"` // while they are being posted, as fast as they are accepted
	Slowest    float64 `json:"neighbour_slowest_ms"`     // of all events of all pairs, posting or beside
	Missing    int     `json:"neighbour_missing"`
	Attempts   int     `json:"neighbour_hanging_attempts"`
	Endpoints  int     `json:"neighbour_hanging_endpoints"`
	Machine    Machine `json:"neighbour_machine"`
}

// The phases of a pair, in this order.
const (
	phaseAlone = iota
	phasePosting
	phaseBeside
	phases
)

// pair is what one tenant sees in each phase.
type pair struct {
	times   [phases]times
	missing int
}

// Neighbour measures alone and beside in turn, each pair in a target of its own: what the one
// before has left to retry is not there.
func Neighbour(ctx context.Context, w World, l Load, n Noisy) (*NeighbourResult, error) {
	l.Rate, l.Half, l.Events, l.Endpoints = neighbourRate, false, 0, 1
	n.Endpoints, n.Attempts, n.Pairs = cmp.Or(n.Endpoints, 1), cmp.Or(n.Attempts, neighbourEvents), cmp.Or(n.Pairs, neighbourPairs)
	r := &NeighbourResult{Attempts: n.Attempts, Endpoints: n.Endpoints}
	look := lookAt()
	var p50, p99 [phases][]float64
	for i := range n.Pairs {
		p, err := neighbourPair(ctx, w, l, n)
		if err != nil {
			return nil, fmt.Errorf("neighbours: %w", err)
		}
		for phase, t := range p.times {
			p50[phase], p99[phase] = append(p50[phase], t.P50), append(p99[phase], t.P99)
		}
		r.Missing += p.missing
		r.Slowest = max(r.Slowest, p.times[phasePosting].Max, p.times[phaseBeside].Max)
		_, _ = fmt.Fprintf(w.Progress, "neighbours %d of %d: p99 alone %.1f ms, posting %.1f ms, beside %.1f ms, slowest %.0f ms, %d missing\n", i+1, n.Pairs,
			p.times[phaseAlone].P99, p.times[phasePosting].P99, p.times[phaseBeside].P99, max(p.times[phasePosting].Max, p.times[phaseBeside].Max), p.missing)
	}
	r.P50Alone, r.P99Alone = median(p50[phaseAlone]), median(p99[phaseAlone])
	r.P50Beside, r.P99Beside, r.P99Posting = median(p50[phaseBeside]), median(p99[phaseBeside]), median(p99[phasePosting])
	r.Ratio, r.Machine = ratio(r.P99Beside, r.P99Alone), look.until(lookAt())
	return r, nil
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func neighbourPair(ctx context.Context, w World, l Load, n Noisy) (p pair, err error) {
	quiet, err := w.stage(ctx, l, EndpointConfig{})
	if err != nil {
		return p, err
	}
	defer quiet.close()
	hang, err := startSilent(ctx)
	if err != nil {
		return p, err
	}
	defer hang.close()
	noisy, err := newApp(quiet.target, quiet.app.tenant+"-neighbour", l.Size)
	if err != nil {
		return p, err
	}
	defer noisy.close()
	for i := range n.Endpoints {
		if err := noisy.hang(ctx, fmt.Sprintf("%s%d", hang.url(), i), neighbourTimeout); err != nil {
			return p, err
		}
	}
	if err := p.settled(ctx, quiet, phaseAlone); err != nil {
		return p, err
	}
	if err := p.beside(ctx, quiet, func(ctx context.Context) []post {
		return closed(ctx, l.Clients, max(n.Attempts/n.Endpoints, 1), 0, func(ctx context.Context, i int, due time.Time) post {
			return noisy.event(ctx, i, eventType(0), due)
		})
	}); err != nil {
		return p, err
	}
	return p, p.settled(ctx, quiet, phaseBeside)
}

// settled measures a window once things have settled.
func (p *pair) settled(ctx context.Context, quiet *stage, phase int) error {
	if _, err := quiet.run(ctx, neighbourSettle); err != nil {
		return err
	}
	r, err := quiet.run(ctx, neighbourWindow)
	if err != nil {
		return err
	}
	took, missing := r.took(r.firsts())
	p.times[phase] = summary(took)
	p.missing += missing
	return nil
}

// beside measures for as long as the neighbour posts.
func (p *pair) beside(ctx context.Context, quiet *stage, post func(context.Context) []post) error {
	posting, posted := context.WithTimeoutCause(ctx, neighbourPosting, errors.New("the neighbour's events are not accepted in time"))
	noise := make(chan error, 1)
	go func() {
		defer posted()
		r := run{posts: post(posting)}
		noise <- r.failure()
	}()
	quiet.endpoint.forget()
	r := &run{begun: time.Now()}
	r.posts = openLoop(ctx, posting, neighbourRate, neighbourPosting, 0, maxInFlight, quiet.send)
	if err := <-noise; err != nil {
		return fmt.Errorf("the neighbour: %w", err)
	}
	quiet.endpoint.await(ctx, r.ids(), Patience)
	r.arrivals = r.own(quiet.endpoint.seen())
	took, missing := r.took(r.firsts())
	p.times[phasePosting] = summary(took)
	p.missing += missing
	return r.failure()
}

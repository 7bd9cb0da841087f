//go:build !noembed

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What two neighbours do: one has an endpoint that accepts connections and never answers, the other
// sends at a pace that leaves any machine idle most of the time.
const (
	neighbourPairs   = 5
	neighbourWindow  = 20 * time.Second
	neighbourSettle  = 5 * time.Second // before each window: caches fill, a thousand deliveries get their workflows
	neighbourPace    = time.Second / 20
	neighbourEvents  = 1000            // for the endpoint that never answers
	neighbourPosting = 2 * time.Minute // they must be accepted by then, or the measurement is given up
)

// neighbourResult says what the one costs the other, in milliseconds from the moment the app begins
// its POST to the moment the healthy endpoint has the event: medians of the pairs.
type neighbourResult struct {
	P50Alone   float64 `json:"neighbour_p50_ms_alone"`
	P99Alone   float64 `json:"neighbour_p99_ms_alone"`
	P50Beside  float64 `json:"neighbour_p50_ms_beside"` // the neighbour's events are accepted and cannot be delivered
	P99Beside  float64 `json:"neighbour_p99_ms_beside"`
	Ratio      float64 `json:"neighbour_ratio"`          // p99 beside ÷ p99 alone
	P99Posting float64 `json:"neighbour_p99_ms_posting"` // while they are being posted, as fast as they are accepted
}

// The phases of a pair, in this order.
const (
	phaseAlone = iota
	phasePosting
	phaseBeside
	phases
)

// runNeighbours measures alone and beside in turn. Each pair has a Hookloop of its own: nothing the
// one before has left to retry is there. Nothing is logged, for a thousand failures are what is
// measured; what must not fail is returned.
func runNeighbours(ctx context.Context, folder string, o benchOptions, progress io.Writer) (*neighbourResult, error) {
	o.bare = false
	log := slog.New(slog.DiscardHandler)
	var p50, p99 [phases][]float64
	for i := range neighbourPairs {
		pair, err := neighbourPair(ctx, filepath.Join(folder, "neighbours-"+strconv.Itoa(i)), o, log)
		if err != nil {
			return nil, fmt.Errorf("neighbours: %w", err)
		}
		for phase, took := range pair {
			p50[phase] = append(p50[phase], percentile(took, 50))
			p99[phase] = append(p99[phase], percentile(took, 99))
		}
		fmt.Fprintf(progress, "neighbours %d of %d: p99 alone %.1f ms, posting %.1f ms, beside %.1f ms\n", i+1, neighbourPairs,
			p99[phaseAlone][i], p99[phasePosting][i], p99[phaseBeside][i])
	}
	r := &neighbourResult{
		P50Alone: median(p50[phaseAlone]), P99Alone: median(p99[phaseAlone]),
		P50Beside: median(p50[phaseBeside]), P99Beside: median(p99[phaseBeside]),
		P99Posting: median(p99[phasePosting]),
	}
	r.Ratio = r.P99Beside / r.P99Alone
	return r, nil
}

func (r *neighbourResult) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "a neighbour hangs    p50 %.1f → %.1f ms, p99 %.1f → %.1f ms, ratio %.2f; p99 while it posts %.1f ms\n",
		r.P50Alone, r.P50Beside, r.P99Alone, r.P99Beside, r.Ratio, r.P99Posting)
	return err
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// neighbourPair gives the sorted times of one tenant in each phase.
func neighbourPair(ctx context.Context, folder string, o benchOptions, log *slog.Logger) (pair [phases][]time.Duration, err error) {
	b, err := startBench(ctx, folder, o, log)
	if err != nil {
		return pair, err
	}
	defer b.stop()
	silent, err := startSilent(ctx)
	if err != nil {
		return pair, err
	}
	defer silent.stop() // before b stops, or it would wait for answers
	noisy := *b
	noisy.url += "-neighbour" // the tenant is the URL's last word
	if _, err := noisy.post(ctx, "/endpoints", []byte(`{"url":"`+silent.url()+`"}`)); err != nil {
		return pair, err
	}
	if pair[phaseAlone], err = b.settled(ctx); err != nil {
		return pair, err
	}
	posting, posted := context.WithTimeoutCause(ctx, neighbourPosting, errors.New("the neighbour's events are not accepted in time"))
	failed := make(chan error, 1)
	go func() {
		defer posted()
		_, err := noisy.load(posting, neighbourEvents, noisy.postEvent)
		failed <- err
	}()
	pair[phasePosting], err = b.steady(ctx, posting)
	if err := errors.Join(err, <-failed); err != nil {
		return pair, err
	}
	pair[phaseBeside], err = b.settled(ctx)
	return pair, err
}

// settled measures a window once things have settled.
func (b *bench) settled(ctx context.Context) ([]time.Duration, error) {
	if _, err := b.steady(ctx, lasting(ctx, neighbourSettle)); err != nil {
		return nil, err
	}
	return b.steady(ctx, lasting(ctx, neighbourWindow))
}

// lasting ends by itself.
func lasting(ctx context.Context, span time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, span)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// steady sends at its pace until a context ends, however long an answer takes, and gives how long
// each event took to arrive, sorted.
func (b *bench) steady(ctx, until context.Context) ([]time.Duration, error) {
	b.endpoint.forget()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	pace := time.NewTicker(neighbourPace)
	defer pace.Stop()
	var mu sync.Mutex
	var posts sync.WaitGroup
	sent := map[string]time.Time{}
	for until.Err() == nil && ctx.Err() == nil {
		posts.Go(func() {
			at := time.Now()
			id, err := b.postEvent(ctx)
			if err != nil {
				stop(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sent[id] = at
		})
		select {
		case <-pace.C:
		case <-until.Done():
		}
	}
	posts.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	b.endpoint.wait(ctx, len(sent))
	return b.endpoint.times(sent)
}

// times gives how long each event took, sorted.
func (e *benchEndpoint) times(sent map[string]time.Time) ([]time.Duration, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var took []time.Duration
	for id, at := range sent {
		if got, ok := e.received[id]; ok {
			took = append(took, got.Sub(at))
		}
	}
	if missing := len(sent) - len(took); missing > 0 {
		return nil, fmt.Errorf("%d of %d events did not reach the healthy endpoint within %s", missing, len(sent), benchPatience)
	}
	slices.Sort(took)
	return took, nil
}

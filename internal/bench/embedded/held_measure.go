package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"hookloop/internal/bench"
)

const (
	heldWindow = time.Minute // that is measured
	heldSample = 10 * time.Second
	heldQuiet  = 5 // percent of a core: what is left is no more work in the queue
	heldCalm   = 3 // quiet samples in a row: what met a busy database comes back after seconds
)

// atRest is the process at rest.
type atRest struct {
	cpuPercent float64       // of one core
	since      time.Duration // the CPU it had used before
	heap, rss  float64       // KiB that live
}

// atRest lets the process settle, and then become quiet, before it measures.
func (h *heldLoop) atRest(ctx context.Context, what string, settle time.Duration) (r atRest, err error) {
	if _, err = cpuPercent(ctx, settle); err != nil {
		return r, err
	}
	calm := 0
	for patience := heldPatience; calm < heldCalm && patience > 0; patience -= heldSample {
		busy, err := cpuPercent(ctx, heldSample)
		if err != nil {
			return r, err
		}
		if calm++; busy >= heldQuiet {
			calm = 0
			fmt.Fprintf(h.log, "%s: settling, %.0f %% of a core\n", what, busy)
		}
	}
	r.since = cpuTime()
	if r.cpuPercent, err = cpuPercent(ctx, heldWindow); err != nil {
		return r, err
	}
	r.heap, r.rss = memory()
	fmt.Fprintf(h.log, "%s: %.2f %% of a core, %.0f MiB heap, %.0f MiB resident, %d goroutines\n",
		what, r.cpuPercent, r.heap/1024, r.rss/1024, runtime.NumGoroutine())
	return r, nil
}

// cpuPercent is how much of one core the process uses in a span.
func cpuPercent(ctx context.Context, span time.Duration) (float64, error) {
	began, cpu := time.Now(), cpuTime()
	<-lasting(ctx, span).Done()
	if ctx.Err() != nil {
		return 0, errors.New("interrupted")
	}
	return 100 * (cpuTime() - cpu).Seconds() / time.Since(began).Seconds(), nil
}

// memory is what lives, in KiB: Go's heap, and what the system counts, with stacks and SQLite. The
// latter is 0 where there is no /proc.
func memory() (heap, rss float64) {
	debug.FreeOSMemory() // or the garbage would count
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var pages struct{ all, resident int }
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(statm), &pages.all, &pages.resident)
	}
	return float64(m.HeapAlloc) / 1024, float64(pages.resident*os.Getpagesize()) / 1024
}

// different counts the events that came.
func (e *receiver) different() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.received)
}

// requests counts everything that came.
func (e *receiver) requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.received) + e.duplicates
}

// judge compares what arrived with what was posted, and when.
func (e *receiver) judge(posted map[string]time.Time, r *heldResult) {
	e.mu.Lock()
	defer e.mu.Unlock()
	arrived := slices.SortedFunc(maps.Keys(e.received), func(a, b string) int { return e.received[a].Compare(e.received[b]) })
	r.Missing, r.Duplicates = len(posted), e.duplicates
	var began []time.Time // the posts, in the order in which they arrived
	for _, id := range arrived {
		if at, ok := posted[id]; ok {
			r.Missing--
			began = append(began, at)
		}
	}
	if len(arrived) > 2 {
		span := e.received[arrived[len(arrived)-1]].Sub(e.received[arrived[1]])
		r.ReleasePerSecond = float64(len(arrived)-2) / span.Seconds()
	}
	if len(began) > 0 {
		r.InOrder, r.PlacesP99 = float64(bench.InOrder(began))/float64(len(began)), placesP99(began)
	}
}

// lasting ends by itself.
func lasting(ctx context.Context, span time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, span)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// placesP99 is how far from their own places 99 of 100 are at most.
func placesP99(times []time.Time) int {
	sorted := slices.SortedFunc(slices.Values(times), time.Time.Compare)
	off := make([]int, len(times))
	for i, t := range times {
		own, _ := slices.BinarySearchFunc(sorted, t, time.Time.Compare)
		off[i] = max(own-i, i-own)
	}
	slices.Sort(off)
	return off[(len(off)*99+99)/100-1]
}

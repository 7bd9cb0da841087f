package ingest

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"hookloop/internal/webhook"
)

// How often the registry is told what came of third parties' requests, and how many events may wait
// for it before it is told at once. One that is told too late is known by its history until then.
const (
	arrivalsEvery = time.Second
	arrivalsFull  = 1000
)

// maxArrivals bounds what waits while the registry is out of reach.
const maxArrivals = 50_000

// pruneEvery is how many events of one source come between two looks at whether it has too many.
const pruneEvery = 50_000

// arrivals gather which items of sources have become events, and write that down together. Nothing
// is lost with them: until then an event is known by its workflow, and afterwards too, while its
// history is kept.
type arrivals struct {
	sources Sources
	log     *slog.Logger
	now     func() time.Time
	full    chan struct{}

	mu      sync.Mutex
	waiting map[string]*arrived // by source
	events  int                 // of all of them
	pruned  map[string]int      // how many more events of a source until it is looked at
}

// arrived is what waits of one source.
type arrived struct {
	taken    map[string]webhook.Taken // by name
	activity webhook.SourceActivity
}

// known says whether an item has become an event and the registry does not know it yet.
func (a *arrivals) known(sourceID, name string) (webhook.Taken, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.waiting[sourceID]; w != nil {
		t, ok := w.taken[name]
		return t, ok
	}
	return webhook.Taken{}, false
}

func newArrivals(s Sources, log *slog.Logger, now func() time.Time) *arrivals {
	return &arrivals{
		sources: s, log: log, now: now, full: make(chan struct{}, 1),
		waiting: map[string]*arrived{}, pruned: map[string]int{},
	}
}

// note takes in what came of a request.
func (a *arrivals) note(sourceID string, taken []webhook.Taken, activity webhook.SourceActivity) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.waiting[sourceID]
	if w == nil {
		w = &arrived{taken: map[string]webhook.Taken{}}
		a.waiting[sourceID] = w
	}
	w.activity.Add(activity)
	for _, t := range taken {
		if _, known := w.taken[t.Name]; !known && a.events < maxArrivals {
			w.taken[t.Name] = t
			a.events++
		}
	}
	if a.events >= arrivalsFull {
		select {
		case a.full <- struct{}{}:
		default:
		}
	}
}

// run writes until ctx ends, and then what is left.
func (a *arrivals) run(ctx context.Context) {
	tick := time.NewTicker(arrivalsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
			defer cancel()
			a.writeAll(last)
			return
		case <-tick.C:
		case <-a.full:
		}
		a.writeAll(ctx)
	}
}

func (a *arrivals) writeAll(ctx context.Context) {
	a.mu.Lock()
	ids := slices.Collect(maps.Keys(a.waiting))
	a.mu.Unlock()
	for _, id := range ids {
		if err := a.write(ctx, id); err != nil {
			a.log.Warn("arrivals", slog.String("source_id", id), slog.String("error", err.Error()))
			return // the others would fail as well
		}
	}
}

// write tells the registry what waits of one source. What it does not take waits on.
func (a *arrivals) write(ctx context.Context, sourceID string) error {
	a.mu.Lock()
	w := a.waiting[sourceID]
	delete(a.waiting, sourceID)
	if w != nil {
		a.events -= len(w.taken)
	}
	a.mu.Unlock()
	if w == nil {
		return nil
	}
	taken := slices.Collect(maps.Values(w.taken))
	if err := a.sources.TakeArrivals(ctx, sourceID, taken, w.activity, a.now()); err != nil {
		a.note(sourceID, taken, w.activity)
		return err
	}
	if a.isDue(sourceID, len(taken)) {
		return a.sources.PruneArrivals(ctx, sourceID, webhook.MaxArrivals)
	}
	return nil
}

// isDue says whether a source has to be looked at: the first time, and after many more events.
func (a *arrivals) isDue(sourceID string, more int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if more == 0 {
		return false
	}
	if a.pruned[sourceID] -= more; a.pruned[sourceID] >= 0 {
		return false
	}
	a.pruned[sourceID] = pruneEvery
	return true
}

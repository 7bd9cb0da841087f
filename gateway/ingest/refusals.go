package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// refusalsEvery is how often the log tells of requests that one source did not let in.
const refusalsEvery = time.Minute

// refusals tell the log of third parties' requests that were not accepted. The first of a source is
// a line at once; those of the minute after it share one, for strangers may send as many as they
// like.
type refusals struct {
	log *slog.Logger

	mu    sync.Mutex
	since map[refusalLine]*refusedSince
}

// refusalLine is what a line is about. Ids that strangers make up share one, without an id.
type refusalLine struct{ tenant, source, provider, outcome string }

type refusedSince struct {
	written time.Time // when the latest line was
	more    int       // since then
	reason  string    // of the latest
}

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, since: map[refusalLine]*refusedSince{}}
}

func (r *refusals) tell(l refusalLine, reason string, now time.Time) {
	if l.tenant == "" {
		l.source = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.since[l]
	if before == nil {
		r.since[l] = &refusedSince{written: now}
		r.write(l, 1, reason)
		return
	}
	before.more++
	before.reason = reason
}

// sum writes a line for each source whose minute is over; those that had no more requests are
// forgotten.
func (r *refusals) sum(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l, since := range r.since {
		switch {
		case now.Sub(since.written) < refusalsEvery:
		case since.more == 0:
			delete(r.since, l)
		default:
			r.write(l, since.more, since.reason)
			*since = refusedSince{written: now}
		}
	}
}

func (r *refusals) write(l refusalLine, requests int, reason string) {
	r.log.Warn("ingest", slog.String("tenant", l.tenant), slog.String("source_id", l.source), slog.String("provider", l.provider),
		slog.String("outcome", l.outcome), slog.Int("requests", requests), slog.String("reason", reason))
}

// run writes until ctx ends, and then what is left.
func (r *refusals) run(ctx context.Context, now func() time.Time) {
	tick := time.NewTicker(refusalsEvery / 6)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.sum(now().Add(refusalsEvery))
			return
		case <-tick.C:
			r.sum(now())
		}
	}
}

package admission

import (
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

// free gives a place if there is one.
func (g *Gate) free() (adaptivelimiter.Permit, bool) {
	if g.limiter.Inflight() >= g.limit() {
		return nil, false
	}
	return g.limiter.TryAcquirePermit()
}

// limit is how many places there are now. A machine so slow that an acceptance takes longer than
// clients are let wait has fewer than the limiter gives: more at once would only wait there.
func (g *Gate) limit() int {
	if g.took > foreseen {
		return max(slowest, int(fewest*float64(foreseen)/float64(g.took)))
	}
	return g.limiter.Limit()
}

// mayWait is how many get a place within the time foreseen, but at least a few. On a machine that
// was idle so far it errs on the side of fewer.
func (g *Gate) mayWait() int {
	return max(fewWaiting, min(mostWaiting, int(foreseen/max(g.pace, time.Microsecond))))
}

// refuse counts a refusal, and lets the log know from time to time.
func (g *Gate) refuse() *Refusal {
	r := g.refusal()
	g.outcomes.WithLabelValues(refused).Inc()
	g.refused++
	if now := time.Now(); now.Sub(g.warned) > warned {
		g.log.Warn("more events come than can be accepted", slog.Int("refused", g.refused), slog.Int("limit", r.Limit), slog.Int("waiting", g.lines.waiting))
		g.warned, g.refused = now, 0
	}
	return r
}

func (g *Gate) refusal() *Refusal {
	limit := g.limit()
	ahead := time.Duration(g.lines.waiting) * g.pace
	seconds := (ahead + time.Second - 1).Truncate(time.Second)
	return &Refusal{Limit: limit, Retry: min(max(seconds, time.Second), longestRetry)}
}

package sender

import (
	"errors"
	"fmt"
	"time"

	"hookloop/internal/webhook"
)

// How the number of attempts in flight at one endpoint adapts. An endpoint that nothing is known of gets
// firstPlaces. One that has stopped taking anything begins again with fewPlaces.
const (
	firstPlaces = 32
	fewPlaces   = 4
	mostPlaces  = 1024

	onFailure  = 0.9 // what a failed attempt leaves of the places: an endpoint that takes half gets ten or so
	onSlowness = 0.8 // what a rising answer time leaves of them, at most once per answer time

	// An answer time has risen when it is longer than twice the usual one and a little: the answers of a
	// healthy endpoint vary by that much.
	slowness = 2
	slack    = 50 * time.Millisecond

	// remembered is how long the best answer time counts as the usual one. An endpoint that has become
	// slower for good is given places again after it.
	remembered = 10 * time.Minute
)

// places is how many attempts may be in flight at one endpoint: as many as it answers well. While all are
// in use, each success adds one, so their number doubles within one answer time; failures and a rising
// answer time take some away. (Of the kept libraries, failsafe-go's limiter adds about one place a second
// and does not see failures: an endpoint of two seconds would have its places after minutes.) It is
// guarded by the lock of its guards.
type places struct {
	most     float64
	limit    float64
	inFlight int
	changed  time.Time     // when a place was last taken or given back
	hold     time.Duration // how long an attempt has a place: a moving average; zero: none has ended yet
	best     [2]time.Duration
	bestAt   time.Time // when best[1], the lowest average before it, was begun
	shrunkAt time.Time

	ahead  float64       // deferred deliveries whose time has not come
	queued time.Time     // when ahead was right
	pace   time.Duration // at which they were told to come
}

func newPlaces(most int) places {
	return places{most: float64(most), limit: float64(min(firstPlaces, most))}
}

// free says whether an attempt may be made now.
func (p *places) free() bool { return p.inFlight < int(p.limit) }

func (p *places) take(now time.Time) {
	p.inFlight++
	p.changed = now
}

// giveBack gives a place back that was taken at a time, and learns from what came of the attempt.
func (p *places) giveBack(taken, now time.Time, verdict error) {
	used := p.inFlight*2 >= int(p.limit)
	p.inFlight--
	p.changed = now
	if errors.Is(verdict, errNoVerdict) {
		return
	}
	p.learn(now.Sub(taken), now)
	switch {
	case errors.Is(verdict, errFailing): // to refuse is an answer, as fast as any
		p.shrink(onFailure, 1, now)
	case p.hold > slowness*p.usual()+slack:
		if now.Sub(p.shrunkAt) > p.hold {
			p.shrink(onSlowness, min(fewPlaces, p.most), now)
		}
	case used:
		p.limit = min(p.limit+1, p.most)
	}
}

func (p *places) shrink(by, least float64, now time.Time) {
	p.limit = max(min(p.limit, least), p.limit*by)
	p.shrunkAt = now
}

// restart is for an endpoint that has taken nothing for a while: it is not met with all it took before.
func (p *places) restart() { p.limit = min(p.limit, fewPlaces, p.most) }

// learn lets the last eight attempts or so say how long one takes.
func (p *places) learn(took time.Duration, now time.Time) {
	if p.hold == 0 {
		p.hold = max(took, 1)
	} else {
		p.hold += (took - p.hold) / 8
	}
	if now.Sub(p.bestAt) > remembered/2 {
		p.best, p.bestAt = [2]time.Duration{p.best[1], p.hold}, now
	}
	p.best[1] = min(p.best[1], p.hold)
}

// usual is the best average of the last five to ten minutes.
func (p *places) usual() time.Duration {
	if p.best[0] == 0 {
		return p.best[1]
	}
	return min(p.best[0], p.best[1])
}

// Bounds on how long a place is thought to be taken, and on when a deferred delivery comes back.
const (
	shortestHold = 100 * time.Millisecond // a trip through Temporal costs as much as a short attempt
	firstHold    = time.Second            // of an endpoint that has not answered yet
	longestHold  = webhook.MaxTimeout
	comeBack     = time.Second
	farthest     = 30 * time.Minute // lest all wait for hours for an endpoint that answers fast again
)

// gap is how often a place should come back while all are taken. None has since changed, so those in
// flight are at least that old.
func (p *places) gap(now time.Time, shortest time.Duration) time.Duration {
	hold := p.hold
	if hold == 0 {
		hold = firstHold
	}
	hold = min(max(hold, now.Sub(p.changed), shortest), longestHold)
	return hold / time.Duration(max(int(p.limit), 1))
}

// growing says whether more places are to be expected: they come back, and none was taken away lately.
func (p *places) growing(now time.Time) bool {
	return now.Sub(p.changed) < firstHold*2 && now.Sub(p.shrunkAt) > time.Minute && p.limit < p.most
}

// deferral tells a delivery when a place should be free for it. The queue of those told before passes at
// the pace at which places come back: a thousand deliveries to an endpoint that hangs come back one after
// the other, and their turns leave the worker to others.
func (p *places) deferral(now time.Time) *webhook.Deferral {
	gap := p.gap(now, shortestHold)
	came := float64(now.Sub(p.queued)) / float64(max(min(p.pace, gap), 1))
	p.ahead = max(0, p.ahead-came) + 1
	p.queued, p.pace = now, gap
	wait := comeBack + time.Duration(p.ahead*float64(gap))
	if wait > farthest { // spread over the half before
		wait = farthest - wait%(farthest/2)
	}
	return &webhook.Deferral{
		Reason: webhook.DeferBulkhead,
		Detail: fmt.Sprintf("%d attempts to the endpoint are in flight, as many as it answers well", p.inFlight),
		WaitMS: wait.Milliseconds(),
	}
}

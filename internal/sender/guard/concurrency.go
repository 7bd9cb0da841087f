package guard

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/webhook"
)

// How the limit of attempts in flight at one endpoint adapts. An endpoint that is new to this
// worker begins with initialLimit. One whose breaker opened begins again with reducedLimit.
const (
	initialLimit = 32
	reducedLimit = 4

	onFailure  = 0.9 // what a failed attempt leaves of the limit: an endpoint that takes half gets ten or so
	onSlowness = 0.8 // what a rising answer time leaves of it, at most once per answer time

	// An answer time has risen when it is longer than twice the usual one and a little: the answers
	// of a healthy endpoint vary by that much.
	slowness = 2
	slack    = 50 * time.Millisecond

	// bestCounts is how long the best answer time counts as the usual one. After it, the limit of
	// an endpoint that has become slower for good grows again.
	bestCounts = 10 * time.Minute
)

// concurrency limits the attempts in flight at one endpoint to as many as it answers well. While
// the limit is in use, each success adds one, so it doubles within one answer time; failures and a
// rising answer time reduce it. (Of the kept libraries, failsafe-go's limiter adds about one a
// second and does not see failures: an endpoint of two seconds would have its limit after minutes.)
// The Guard's lock protects it.
type concurrency struct {
	max       float64
	limit     float64
	inFlight  int
	changedAt time.Time     // when an attempt last started or ended
	took      time.Duration // by an attempt: a moving average; zero: none has ended yet
	best      [2]time.Duration
	bestSince time.Time // when best[1] was begun; best[0] is the lowest average before that
	reducedAt time.Time

	ahead    float64       // deferred deliveries whose time has not come
	aheadAt  time.Time     // when ahead was right
	aheadGap time.Duration // at which they were told to come
}

func newConcurrency(limit int) concurrency {
	return concurrency{max: float64(limit), limit: float64(min(initialLimit, limit))}
}

// full says whether another attempt has to wait.
func (c *concurrency) full() bool { return c.inFlight >= int(c.limit) }

func (c *concurrency) start(now time.Time) {
	c.inFlight++
	c.changedAt = now
}

// end counts an attempt out that started at a time, and learns from the verdict on it.
func (c *concurrency) end(started, now time.Time, verdict error) {
	inUse := c.inFlight*2 >= int(c.limit)
	c.inFlight--
	c.changedAt = now
	if errors.Is(verdict, errNoVerdict) {
		return
	}
	c.observe(now.Sub(started), now)
	switch {
	case errors.Is(verdict, errFailing): // a refusal is an answer, as fast as any
		c.shrink(onFailure, 1, now)
	case c.took > slowness*c.usual()+slack:
		if now.Sub(c.reducedAt) > c.took {
			c.shrink(onSlowness, min(reducedLimit, c.max), now)
		}
	case inUse:
		c.limit = min(c.limit+1, c.max)
	}
}

func (c *concurrency) shrink(by, least float64, now time.Time) {
	c.limit = max(min(c.limit, least), c.limit*by)
	c.reducedAt = now
}

// reduce is for an endpoint that has taken nothing for a while: it is not met with all it took
// before.
func (c *concurrency) reduce() { c.limit = min(c.limit, reducedLimit, c.max) }

// observe averages how long the last eight attempts or so took.
func (c *concurrency) observe(took time.Duration, now time.Time) {
	if c.took == 0 {
		c.took = max(took, 1)
	} else {
		c.took += (took - c.took) / 8
	}
	if now.Sub(c.bestSince) > bestCounts/2 {
		c.best, c.bestSince = [2]time.Duration{c.best[1], c.took}, now
	}
	c.best[1] = min(c.best[1], c.took)
}

// usual is the best average of the last five to ten minutes.
func (c *concurrency) usual() time.Duration {
	if c.best[0] == 0 {
		return c.best[1]
	}
	return min(c.best[0], c.best[1])
}

// Bounds on how long an attempt is thought to take, and on when a deferred delivery comes back.
const (
	minTook     = 100 * time.Millisecond // a trip through Temporal costs as much as a short attempt
	unknownTook = time.Second            // of an endpoint that has not answered yet
	maxTook     = webhook.MaxTimeout
	minDeferral = time.Second
	maxDeferral = 30 * time.Minute // lest all wait for hours for an endpoint that answers fast again
)

// gap is how often an attempt should end while the limit is reached. No attempt has started or
// ended since changedAt, so those in flight are at least that old.
func (c *concurrency) gap(now time.Time, least time.Duration) time.Duration {
	took := min(max(cmp.Or(c.took, unknownTook), now.Sub(c.changedAt), least), maxTook)
	return took / time.Duration(max(int(c.limit), 1))
}

// growing says whether the limit may be expected to rise: attempts end, and it did not fall lately.
func (c *concurrency) growing(now time.Time) bool {
	return now.Sub(c.changedAt) < unknownTook*2 && now.Sub(c.reducedAt) > time.Minute && c.limit < c.max
}

// deferral gives a delivery the time at which an attempt should have ended for it. The deliveries
// deferred before it come at the pace at which attempts end: a thousand deliveries to an endpoint
// that hangs come back one after the other, and the worker is free for others meanwhile.
func (c *concurrency) deferral(now time.Time) *webhook.Deferral {
	gap := c.gap(now, minTook)
	came := float64(now.Sub(c.aheadAt)) / float64(max(min(c.aheadGap, gap), 1))
	c.ahead = max(0, c.ahead-came) + 1
	c.aheadAt, c.aheadGap = now, gap
	wait := minDeferral + time.Duration(c.ahead*float64(gap))
	if wait > maxDeferral { // spread over the half before
		wait = maxDeferral - wait%(maxDeferral/2)
	}
	return &webhook.Deferral{
		Reason: webhook.DeferConcurrency,
		Detail: fmt.Sprintf("%d attempts to the endpoint are in flight, as many as it answers well", c.inFlight),
		WaitMS: wait.Milliseconds(),
	}
}

package sender

import (
	"fmt"
	"time"

	"hookloop/internal/webhook"
)

// Bounds on how long a place is thought to be taken. A trip through Temporal costs as much as a short
// attempt, and an attempt has its time-out.
const (
	shortestHold = 100 * time.Millisecond
	firstHold    = time.Second // of an endpoint that has not answered yet
	longestHold  = webhook.MaxTimeout
)

// comeBack is the least time until a refused delivery comes back; farthest is the longest, lest all wait
// for hours for an endpoint that recovered.
const (
	comeBack = time.Second
	farthest = 30 * time.Minute
)

// bulkhead keeps the attempts in flight at one endpoint to its places. Who finds none is told when one
// should be free for him: the queue of those told before passes at the pace at which places come
// back. So a thousand deliveries to an endpoint that hangs come back one after the other, and their
// turns leave the worker to others. It is guarded by the lock of its guards.
type bulkhead struct {
	places   int
	inFlight int
	changed  time.Time     // when a place was last taken or given back
	hold     time.Duration // how long an attempt has a place: a moving average
	ahead    float64       // refused deliveries whose time has not come
	queued   time.Time     // when ahead was right
	pace     time.Duration // at which they were told to come
}

// take takes a place, or says when to come back for one.
func (b *bulkhead) take(now time.Time) *webhook.Deferral {
	if b.inFlight < b.places {
		b.inFlight++
		b.changed = now
		return nil
	}
	gap := b.gap(now)
	came := float64(now.Sub(b.queued)) / float64(max(min(b.pace, gap), 1))
	b.ahead = max(0, b.ahead-came) + 1
	b.queued, b.pace = now, gap
	wait := comeBack + time.Duration(b.ahead*float64(gap))
	if wait > farthest { // spread over the half before
		wait = farthest - wait%(farthest/2)
	}
	return &webhook.Deferral{
		Reason: webhook.DeferBulkhead,
		Detail: fmt.Sprintf("too many attempts to the endpoint are in flight: %d", b.inFlight),
		WaitMS: wait.Milliseconds(),
	}
}

// gap is how often a place should come back while all are taken. None has since changed, so those in
// flight are at least that old.
func (b *bulkhead) gap(now time.Time) time.Duration {
	hold := b.hold
	if hold == 0 {
		hold = firstHold
	}
	hold = min(max(hold, now.Sub(b.changed), shortestHold), longestHold)
	return hold / time.Duration(b.places)
}

// giveBack gives a place back that was taken at a time.
func (b *bulkhead) giveBack(taken, now time.Time) {
	b.inFlight--
	b.changed = now
	b.learn(now.Sub(taken))
}

// learn lets the last eight attempts or so say how long one takes.
func (b *bulkhead) learn(took time.Duration) {
	if b.hold == 0 {
		b.hold = took
		return
	}
	b.hold += (took - b.hold) / 8
}

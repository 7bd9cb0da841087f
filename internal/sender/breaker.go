package sender

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"hookloop/internal/webhook"
)

// When a breaker opens and for how long. It opens at an endpoint that takes nothing: after five failures in a
// row if nothing succeeded within the window, or after twenty whatever did. An endpoint that takes half of what
// it gets fails twenty times in a row once in a million attempts; it keeps its breaker closed and has
// fewer places. A breaker that is open lets a probe through as often as is cheap, for all that waits does
// so until one succeeds. An event that is refused counts for neither: the next one is the probe.
const (
	tripConsecutive = 5
	tripSurely      = 20
	tripWindow      = 60 * time.Second
	tripBucket      = 10 * time.Second
	openTime        = 5 * time.Second
)

// What an attempt tells the breaker about the endpoint; nil says it took an event.
var (
	errFailing   = errors.New("the endpoint fails")
	errRefuses   = errors.New("the endpoint refuses an event")
	errNoVerdict = errors.New("the attempt says nothing about the endpoint")
)

// verdictOn judges the endpoint, not the delivery.
func verdictOn(a webhook.Attempt) error {
	switch a.Class() {
	case webhook.Fails:
		return errFailing
	case webhook.Refuses:
		return errRefuses
	case webhook.Took:
	}
	return nil
}

// breaker stops the attempts at an endpoint that fails, but for a probe every few seconds. It can be
// replaced, not reset. It is guarded by the lock of its guards.
type breaker struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	openings int
	probeAt  time.Time // from which it lets a probe through, once it has opened
}

func newBreaker() *breaker {
	b := &breaker{}
	b.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Interval:     tripWindow,
		BucketPeriod: tripBucket,
		Timeout:      openTime,
		MaxRequests:  1, // one probe
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= tripSurely || c.ConsecutiveFailures >= tripConsecutive && c.TotalSuccesses == 0
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.openings++
				b.probeAt = time.Unix(time.Now().Add(openTime).Unix()+1, 0) // a whole second reads better
			}
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNoVerdict) || errors.Is(err, errRefuses) },
	})
	return b
}

// trip opens the breaker for what another worker has found.
func (b *breaker) trip() {
	for range tripSurely {
		if done, err := b.Allow(); err == nil {
			done(errFailing)
		}
	}
}

func (b *breaker) isOpen() bool   { return b.State() == gobreaker.StateOpen }
func (b *breaker) isClosed() bool { return b.State() == gobreaker.StateClosed }

// How far apart the turns of deliveries are that wait for a probe to succeed. One of them is the next probe, so
// they need not come often: when a probe succeeds, all are told. What is told may get lost, so they come by
// themselves at last.
const (
	turnGap      = time.Second
	farthestTurn = 2 * time.Hour // ten thousand then have 1.9 turns a second
)

// turns deals out times at which deferred deliveries come back, one after the other.
type turns struct{ last time.Time }

func (t *turns) next(earliest, now time.Time) time.Duration {
	t.last = t.last.Add(turnGap)
	if t.last.Before(earliest) {
		t.last = earliest
	}
	wait := t.last.Sub(now)
	if wait > farthestTurn { // spread over the half before
		wait = farthestTurn - wait%(farthestTurn/2)
	}
	return max(wait, turnGap)
}

// whyNot tells a delivery that the breaker stopped when its next turn is.
func (gd *guard) whyNot(err error, now time.Time) *webhook.Deferral {
	d := &webhook.Deferral{Reason: webhook.DeferBreaker, Detail: "the endpoint keeps failing; a probe is under way"}
	earliest := now.Add(openTime)
	if !errors.Is(err, gobreaker.ErrTooManyRequests) {
		earliest = gd.breaker.probeAt
		d.Detail = "the endpoint keeps failing; it is probed after " + earliest.UTC().Format(time.RFC3339)
	}
	gd.deferred = true
	d.WaitMS = gd.turns.next(earliest, now).Milliseconds()
	return d
}

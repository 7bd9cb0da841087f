package guard

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"hookloop/internal/webhook"
)

// When a breaker opens and for how long. It opens at an endpoint that takes nothing: after five
// failures in a row if nothing succeeded within the window, or after twenty in a row in any case.
// An endpoint that takes half of what it gets fails twenty times in a row once in a million
// attempts: its breaker stays closed and its concurrency limit falls. An open breaker lets a probe
// through as often as is cheap, because all that waits does so until one succeeds. A refused event
// counts neither way: the next delivery is the probe.
const (
	openAfterFailures       = 5
	openAfterFailuresAlways = 20
	failureWindow           = 60 * time.Second
	failureBucket           = 10 * time.Second
	openTime                = 5 * time.Second
)

// What an attempt tells the breaker about the endpoint; nil says that it took an event.
var (
	errFailing   = errors.New("the endpoint fails")
	errRefuses   = errors.New("the endpoint refuses an event")
	errNoVerdict = errors.New("the attempt says nothing about the endpoint")
)

// verdictOn judges the endpoint, not the delivery.
func verdictOn(a webhook.Attempt) error {
	if a.Number == 0 { // none was made
		return errNoVerdict
	}
	switch a.Class() {
	case webhook.Fails:
		return errFailing
	case webhook.Refuses:
		return errRefuses
	case webhook.Took:
	}
	return nil
}

// breaker stops the attempts at an endpoint that fails, except for a probe every few seconds. It
// can be replaced, not reset. The Guard's lock protects it.
type breaker struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	openings int
	probeAt  time.Time // from when an open breaker lets a probe through
}

func newBreaker() *breaker {
	b := &breaker{}
	b.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Interval:     failureWindow,
		BucketPeriod: failureBucket,
		Timeout:      openTime,
		MaxRequests:  1, // one probe
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= openAfterFailuresAlways ||
				c.ConsecutiveFailures >= openAfterFailures && c.TotalSuccesses == 0
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
	for range openAfterFailuresAlways {
		if done, err := b.Allow(); err == nil {
			done(errFailing)
		}
	}
}

var closedBreaker = gobreaker.StateClosed.String()

func (b *breaker) isOpen() bool   { return b.State() == gobreaker.StateOpen }
func (b *breaker) isClosed() bool { return b.State() == gobreaker.StateClosed }

// How far apart the turns of deliveries are that an open breaker defers. One of them is the next
// probe, and its success makes all of them be rechecked, so they need not come often by themselves.
// A recheck may get lost, so they come at last.
const (
	staggerGap = time.Second
	maxStagger = 2 * time.Hour // ten thousand deliveries then have 1.9 turns a second
)

// stagger deals out the times at which deferred deliveries come back, one after the other.
type stagger struct{ last time.Time }

func (s *stagger) next(earliest, now time.Time) time.Duration {
	s.last = s.last.Add(staggerGap)
	if s.last.Before(earliest) {
		s.last = earliest
	}
	wait := s.last.Sub(now)
	if wait > maxStagger { // spread over the half before
		wait = maxStagger - wait%(maxStagger/2)
	}
	return max(wait, staggerGap)
}

// breakerDeferral gives the delivery that the breaker stopped with err its next turn.
func (e *endpoint) breakerDeferral(err error, now time.Time) *webhook.Deferral {
	d := &webhook.Deferral{Reason: webhook.DeferBreaker, Detail: "the endpoint keeps failing; a probe is under way"}
	earliest := now.Add(openTime)
	if !errors.Is(err, gobreaker.ErrTooManyRequests) {
		earliest = e.breaker.probeAt
		d.Detail = "the endpoint keeps failing; it is probed after " + earliest.UTC().Format(time.RFC3339)
	}
	e.recheckOwed = true
	d.WaitMS = e.stagger.next(earliest, now).Milliseconds()
	return d
}

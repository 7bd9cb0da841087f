package sender

import (
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"hookloop/internal/webhook"
)

// When a breaker opens and for how long. One that trips later floods a dying endpoint; one that trips
// earlier makes an outage of a hiccup.
const (
	tripConsecutive = 5
	tripMinimum     = 10 // attempts before a share of failures means anything
	tripWindow      = 60 * time.Second
	tripBucket      = 10 * time.Second
	openTime        = 30 * time.Second
)

// What an attempt tells the breaker about the endpoint; nil says it is well.
var (
	errFailing   = errors.New("the endpoint fails")
	errNoVerdict = errors.New("the attempt says nothing about the endpoint")
)

// verdictOn judges the endpoint, not the delivery: a 400 for one payload comes from an endpoint
// that is alive. An address we would not dial is our judgement, a request that cannot be made is about
// one event; they count for neither.
func verdictOn(a webhook.Attempt) error {
	switch {
	case a.Failure == webhook.FailureAddress, a.Failure == webhook.FailureRequest:
		return errNoVerdict
	case a.Faults():
		return errFailing
	}
	return nil
}

// breaker stops the attempts at an endpoint that fails, but for a probe every half minute. It can be
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
			done := c.TotalSuccesses + c.TotalFailures // not Requests: those in flight have not succeeded
			return c.ConsecutiveFailures >= tripConsecutive || done >= tripMinimum && c.TotalFailures*2 >= done
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.openings++
				b.probeAt = time.Unix(time.Now().Add(openTime).Unix()+1, 0) // a whole second reads better
			}
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNoVerdict) },
	})
	return b
}

// trip opens the breaker for what another worker has found.
func (b *breaker) trip() {
	for range tripConsecutive {
		if done, err := b.Allow(); err == nil {
			done(errFailing)
		}
	}
}

func (b *breaker) whyNot(err error) *webhook.Deferral {
	d := &webhook.Deferral{Reason: webhook.DeferBreaker, Detail: "the endpoint keeps failing; a probe is under way"}
	if errors.Is(err, gobreaker.ErrTooManyRequests) {
		return d
	}
	d.Detail = "the endpoint keeps failing; it is probed after " + b.probeAt.UTC().Format(time.RFC3339)
	d.WaitMS = max(time.Until(b.probeAt).Milliseconds(), 0)
	return d
}

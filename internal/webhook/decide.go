package webhook

import (
	"net/http"
	"time"
)

// MaxRetryAfter bounds the wait an endpoint may ask for.
const MaxRetryAfter = 24 * time.Hour

// How often a held delivery looks by itself whether its endpoint is active again, in case a release
// did not reach it. It looks soon after it was held, since a release may have begun at that very
// moment, and then rarely, since ten thousand may be held for a week.
const (
	FirstHeldCheck = time.Minute
	HeldCheck      = 6 * time.Hour
)

// HeldWait says how long a delivery that was held waits before it looks for the n-th time (n from
// 1), and never shorter than the deferral asks for.
func HeldWait(d Deferral, n int, seed string) time.Duration {
	wait := HeldCheck
	if n == 1 {
		wait = FirstHeldCheck
	}
	return d.Wait() + Jitter(wait, seed, n)
}

// Verdict is what follows an attempt: the state of the delivery and, while it goes on, the wait
// until the next attempt.
type Verdict struct {
	Status DeliveryStatus
	Reason string // why it ended or is held, for a person
	Wait   time.Duration
}

// Decide says what follows attempt a of the delivery that seed names. Workflows replay it: the
// same arguments must give the same answer forever, so gate every change to it in
// workflows/changes.go.
func Decide(s Schedule, a Attempt, seed string) Verdict {
	switch {
	case a.Succeeded():
		return Verdict{Status: Delivered}
	case a.Directive == DirectiveAbort:
		return Verdict{Status: Rejected, Reason: "the endpoint answered webhook-delivery: abort-message"}
	case a.Number >= len(s):
		return Verdict{Status: Exhausted, Reason: "the schedule is spent"}
	case a.Directive == DirectiveDisable:
		return Verdict{Status: Held, Reason: "the endpoint answered webhook-delivery: disable", Wait: Jitter(max(s[a.Number], HeldCheck), seed, a.Number)}
	case a.StatusCode == http.StatusGone:
		return Verdict{Status: Held, Reason: "the endpoint answered 410 Gone", Wait: Jitter(max(s[a.Number], HeldCheck), seed, a.Number)}
	}
	wait := s[a.Number]
	if a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusServiceUnavailable {
		wait = max(wait, min(a.RetryAfter(), MaxRetryAfter))
	}
	return Verdict{Status: Retrying, Wait: jitterUp(wait, a.RetryAfter(), seed, a.Number)}
}

// jitterUp jitters a scheduled wait either way, but never goes below what the endpoint asked for.
func jitterUp(wait, asked time.Duration, seed string, n int) time.Duration {
	return max(Jitter(wait, seed, n), min(asked, wait))
}

// Waits between deferrals: they double from the first to the longest.
const (
	firstDeferral   = 30 * time.Second
	longestDeferral = 30 * time.Minute
)

// DeferWait says how long the n-th deferral in a row lasts (n from 1): never shorter than the
// deferral itself asks for. What is busy or stops is not broken, and is tried again sooner.
func DeferWait(d Deferral, n int, seed string) time.Duration {
	first := firstDeferral
	switch d.Reason {
	case DeferLimit: // its slot is its own: jitter would only collide
		return d.Wait()
	case DeferConcurrency, DeferBreaker: // so is the time it was given
		return max(d.Wait(), time.Second)
	case DeferStopping, DeferInternal:
		first = time.Second
	case DeferState, DeferDisabled, DeferSchedule:
	}
	wait := longestDeferral
	if n < 12 { // beyond, the shift would pass the longest anyway
		wait = min(first<<(n-1), longestDeferral)
	}
	wait = Jitter(wait, seed, n)
	if asked := d.Wait(); wait < asked { // deliveries that got the same time spread behind it
		wait = asked + (Jitter(asked, seed, n) - asked).Abs()
	}
	return wait
}

package sender

import (
	"container/list"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
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

// A guard is forgotten after an hour of idleness: longer than the longest deferral (30 min and its
// jitter), so a failing endpoint's breaker is still there at its delivery's next turn. maxGuards
// bounds their memory at about 16 MiB (and their slots', see maxAllSlots) however many endpoints
// there are; what a guard forgotten early costs is a few attempts until its breaker opens again.
const (
	idleGuard = time.Hour
	maxGuards = 1 << 14
)

// What an attempt tells the breaker about the endpoint; nil says it is well.
var (
	errFailing   = errors.New("the endpoint fails")
	errNoVerdict = errors.New("the attempt says nothing about the endpoint")
)

// verdictOn judges the endpoint, not the delivery: a 400 for one payload comes from an endpoint
// that is alive. An address we would not dial is our judgement and counts for neither.
func verdictOn(a webhook.Attempt) error {
	switch {
	case a.Failure == webhook.FailureAddress:
		return errNoVerdict
	case a.Failure != "", a.StatusCode >= 500,
		a.StatusCode == http.StatusRequestTimeout, a.StatusCode == http.StatusTooManyRequests:
		return errFailing
	}
	return nil
}

type endpointKey struct{ tenant, id string }

// guard is what stands before one endpoint in this worker.
type guard struct {
	key      endpointKey
	breaker  *gobreaker.TwoStepCircuitBreaker[struct{}]
	pacer    *pacer       // nil: the endpoint has no rate limit
	probeAt  atomic.Int64 // Unix seconds from which an open breaker lets a probe through
	bulkhead bulkhead
	usedAt   time.Time
}

func newGuard(key endpointKey, places int) *guard {
	g := &guard{key: key, bulkhead: bulkhead{places: places}}
	g.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
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
				g.probeAt.Store(time.Now().Add(openTime).Unix() + 1)
			}
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNoVerdict) },
	})
	return g
}

// guards keeps the guard of each endpoint in use, the last used first.
type guards struct {
	bulkhead int

	mu     sync.Mutex
	byKey  map[endpointKey]*list.Element
	recent *list.List
	slots  int // remembered by all pacers
}

func newGuards(bulkhead int) *guards {
	return &guards{bulkhead: bulkhead, byKey: map[endpointKey]*list.Element{}, recent: list.New()}
}

// enter takes a place at the endpoint for a delivery of event, or says why there is none. leave must
// be called once, with what the attempt said about the endpoint. The lock spans all the guard's
// parts, so that what one refuses costs the others nothing: no probe, no place, no token.
func (g *guards) enter(e webhook.Endpoint, event string) (leave func(verdict error), refused *webhook.Deferral) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	gd, isNew := g.find(endpointKey{e.Tenant, e.ID}, now)
	if isNew {
		defer g.forget(now) // once this turn has its place, or none
	}
	done, err := gd.breaker.Allow()
	if err != nil {
		return nil, gd.whyNot(err)
	}
	if refused = gd.room(e, event, now, &g.slots); refused != nil {
		done(errNoVerdict) // gives a probe back
		return nil, refused
	}
	return func(verdict error) {
		done(verdict)
		g.leave(gd, now)
	}, nil
}

// room takes a place and a token. The limit is asked last: its token would not come back.
func (gd *guard) room(e webhook.Endpoint, event string, now time.Time, slots *int) *webhook.Deferral {
	if full := gd.bulkhead.take(now); full != nil {
		return full
	}
	limited := gd.pace(e.RateLimit, event, now, slots)
	if limited != nil {
		gd.bulkhead.inFlight--
	}
	return limited
}

func (gd *guard) whyNot(err error) *webhook.Deferral {
	d := &webhook.Deferral{Reason: webhook.DeferBreaker, Detail: "the endpoint keeps failing; a probe is under way"}
	if errors.Is(err, gobreaker.ErrTooManyRequests) {
		return d
	}
	at := time.Unix(gd.probeAt.Load(), 0)
	d.Detail = "the endpoint keeps failing; it is probed after " + at.UTC().Format(time.RFC3339)
	d.WaitMS = max(time.Until(at).Milliseconds(), 0)
	return d
}

// find gives the endpoint's guard, a new one if need be.
func (g *guards) find(key endpointKey, now time.Time) (gd *guard, isNew bool) {
	el, known := g.byKey[key]
	if !known {
		el = g.recent.PushFront(newGuard(key, g.bulkhead))
		g.byKey[key] = el
	}
	g.recent.MoveToFront(el)
	gd = el.Value.(*guard)
	gd.usedAt = now
	return gd, !known
}

// leave gives a place back that was taken at a time.
func (g *guards) leave(gd *guard, taken time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	gd.bulkhead.giveBack(taken, now)
	gd.usedAt = now
}

// forget drops guards idle for long and, while there are too many, the idlest. One with attempts in
// flight stays: a second bulkhead beside it would let too many in. One that somebody has a slot at
// stays as long as there is room.
func (g *guards) forget(now time.Time) {
	for el := g.recent.Back(); el != nil; {
		gd, next, tooMany := el.Value.(*guard), el.Prev(), g.recent.Len() > maxGuards
		if !tooMany && now.Sub(gd.usedAt) < idleGuard {
			return
		}
		if gd.bulkhead.inFlight == 0 && (tooMany || !gd.awaited(now)) {
			gd.unpace()
			g.recent.Remove(el)
			delete(g.byKey, gd.key)
		}
		el = next
	}
}

// state is that of the endpoint's breaker, which is closed when nobody knows it.
func (g *guards) state(key endpointKey) gobreaker.State {
	g.mu.Lock()
	defer g.mu.Unlock()
	if el, ok := g.byKey[key]; ok {
		return el.Value.(*guard).breaker.State()
	}
	return gobreaker.StateClosed
}

// open counts the breakers that are not closed.
func (g *guards) open() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(time.Now())
	open := 0
	for el := g.recent.Front(); el != nil; el = el.Next() {
		if el.Value.(*guard).breaker.State() != gobreaker.StateClosed {
			open++
		}
	}
	return float64(open)
}

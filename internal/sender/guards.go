package sender

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"hookloop/internal/webhook"
)

// A guard is forgotten after an hour of idleness: longer than the longest deferral (30 min and its
// jitter), so a failing endpoint's breaker is still there at its delivery's next turn. maxGuards
// bounds their memory at about 16 MiB (and their slots', see maxAllSlots) however many endpoints
// there are; what a guard forgotten early costs is a few attempts until its breaker opens again.
const (
	idleGuard = time.Hour
	maxGuards = 1 << 14
)

type endpointKey struct{ tenant, id string }

// guard is what stands before one endpoint in this worker. It is guarded by the lock of its guards.
type guard struct {
	key      endpointKey
	breaker  *breaker
	turns    turns // of deliveries that an open breaker defers
	places   places
	line     *list.List // of *waiter, the longest waiting first
	pacer    *pacer     // nil: the endpoint has no rate limit
	seen     seen
	heard    time.Time // when a worker last said that it fails, says the registry; zero: not since it recovered
	heardAt  time.Time // when this worker read that
	unwell   bool      // nobody has been told that it is well, or not since somebody was told that it fails
	deferred bool      // deliveries were told to come back, and nobody told them since that the endpoint has recovered
	wellAt   time.Time // of the latest success; zero: none since this worker knows it
	refused  refused   // since the latest success
	usedAt   time.Time
}

// seen is what a guard remembers of the endpoint's version it saw last.
type seen struct {
	version   int
	reach     webhook.Reach
	releasing time.Time
}

func newGuard(key endpointKey, most int) *guard {
	return &guard{key: key, breaker: newBreaker(), places: newPlaces(most), line: list.New(), unwell: true}
}

// turn is a delivery's place at an endpoint.
type turn struct {
	guard   *guard
	lane    *shares     // its tenant has one of; nil: of none
	breaker *breaker    // that let it through; nil: none was asked, a person wants to know
	done    func(error) // tells that breaker
	taken   time.Time
}

// placesOfAll is how many attempts one worker makes at once, for each lane: first attempts and retries do not stand
// in each other's way. An attempt holds at most 2 MiB, whatever the endpoint answers (newTransport).
const placesOfAll = 2048

// guards keeps the guard of each endpoint in use, the last used first.
type guards struct {
	most  int  // places of one endpoint
	paces bool // keeps the rate limits itself

	mu      sync.Mutex
	byKey   map[endpointKey]*list.Element
	recent  *list.List
	slots   int    // remembered by all pacers
	first   shares // of the attempts in flight, the first ones
	retries shares // and the others
	waiters shares
	bytes   shares // of what waits
}

func newGuards(most int, paces bool) *guards {
	return &guards{
		most: most, paces: paces,
		byKey: map[endpointKey]*list.Element{}, recent: list.New(),
		first: newShares(placesOfAll), retries: newShares(placesOfAll),
		waiters: newShares(waitersOfAll), bytes: newShares(bytesOfAll),
	}
}

// acquire takes a place at the endpoint for a delivery, after a short wait if need be, or says why there is none.
// release must be called once, with what the attempt said about the endpoint.
func (g *guards) acquire(ctx context.Context, d webhook.Delivery) (turn, *webhook.Deferral) {
	g.mu.Lock()
	now := time.Now()
	gd := g.guard(d, now)
	switch {
	case d.Probe: // a person waits for it: no breaker is asked, and there is a place for one more
		defer g.mu.Unlock()
		gd.places.take(now)
		return turn{guard: gd, taken: now}, nil
	case gd.breaker.isClosed() && (gd.line.Len() > 0 || !gd.places.free()):
		if g.mayWait(gd, d, now) {
			w := g.queue(gd, d, now)
			g.mu.Unlock()
			return g.await(ctx, gd, w)
		}
		defer g.mu.Unlock()
		return turn{}, gd.places.deferral(now)
	}
	defer g.mu.Unlock()
	return g.grant(gd, d, now)
}

// guard is the endpoint's, with what the registry says of it taken in.
func (g *guards) guard(d webhook.Delivery, now time.Time) *guard {
	gd, isNew := g.find(endpointKey{d.Endpoint.Tenant, d.Endpoint.ID}, now)
	if isNew {
		g.forget(now)
	}
	gd.notice(d.Endpoint, cmp.Or(d.ReadAt, now), now)
	return gd
}

// grant asks all who may refuse a delivery for which there is a place. The lock spans them all, so that what one
// refuses costs the others nothing.
func (g *guards) grant(gd *guard, d webhook.Delivery, now time.Time) (turn, *webhook.Deferral) {
	done, err := gd.breaker.Allow()
	if err != nil {
		return turn{}, gd.whyNot(err, now)
	}
	lane := g.lane(d)
	if refused := g.room(gd, d, lane, now); refused != nil {
		done(errNoVerdict) // gives a probe back
		return turn{}, refused
	}
	gd.places.take(now)
	return turn{guard: gd, lane: lane, breaker: gd.breaker, done: done, taken: now}, nil
}

// room asks the tenant's share of this worker and the rate limit. The limit is asked last: its token would not
// come back.
func (g *guards) room(gd *guard, d webhook.Delivery, lane *shares, now time.Time) *webhook.Deferral {
	if !lane.take(gd.key.tenant, 1) {
		refused := gd.places.deferral(now)
		refused.Detail = "the tenant has its share of the attempts this worker makes at once"
		return refused
	}
	if !g.paces {
		return nil
	}
	limited := gd.pace(d.Endpoint.RateLimit, d.Event.ID, now, &g.slots)
	if limited != nil {
		lane.giveBack(gd.key.tenant, 1)
	}
	return limited
}

func (g *guards) lane(d webhook.Delivery) *shares {
	if d.First {
		return &g.first
	}
	return &g.retries
}

// notice takes in what the registry says of the endpoint: that it is reached in another way, that a person has let
// its deliveries go, on whatever worker, and what other workers found. An open breaker would hold
// deliveries up for what is past.
func (gd *guard) notice(e webhook.Endpoint, read, now time.Time) {
	if e.Version > gd.seen.version {
		if e.BeginsAnew(gd.seen.reach, gd.seen.releasing) {
			gd.heard, gd.refused = time.Time{}, refused{}
			gd.renew()
		}
		gd.seen = seen{e.Version, e.Reach(), e.Releasing}
	}
	switch opened := e.BreakerOpenedAt; {
	case opened.IsZero() && !gd.heard.IsZero() && read.Before(gd.heardAt): // read before it was told to fail
	case opened.IsZero() && !gd.heard.IsZero(): // another worker's probe has found it well
		gd.heard, gd.refused = opened, refused{}
		gd.renew()
	case opened.After(gd.heard):
		// The worker that told of it may be gone when it has passed.
		gd.heard, gd.heardAt, gd.unwell = opened, now, true
		if now.Sub(opened).Abs() < openTime && opened.After(gd.wellAt) { // or it is time for a probe, or past already
			gd.breaker.trip()
		}
	}
}

func (gd *guard) renew() {
	if !gd.breaker.isClosed() {
		gd.breaker, gd.turns = newBreaker(), turns{}
	}
}

// find gives the endpoint's guard, a new one if need be.
func (g *guards) find(key endpointKey, now time.Time) (gd *guard, isNew bool) {
	el, known := g.byKey[key]
	if !known {
		el = g.recent.PushFront(newGuard(key, g.most))
		g.byKey[key] = el
	}
	g.recent.MoveToFront(el)
	gd = el.Value.(*guard)
	gd.usedAt = now
	return gd, !known
}

// left is what a turn's verdict has changed.
type left struct {
	opened    bool      // the breaker
	recovered bool      // the first good verdict since the guard is new or somebody was told that the endpoint fails
	waiting   bool      // deliveries wait to hear of the recovery
	wellAt    time.Time // of the latest good verdict; zero: there was none
	refused   refused
}

// release gives a turn's place back, to the next in the line. eventID is of the event that the turn was for.
func (g *guards) release(t turn, eventID string, verdict error) left {
	g.mu.Lock()
	defer g.mu.Unlock()
	gd, now := t.guard, time.Now()
	gd.places.giveBack(t.taken, now, verdict)
	if t.lane != nil {
		t.lane.giveBack(gd.key.tenant, 1)
	}
	gd.usedAt = now
	defer g.serve(gd, now)
	l := left{opened: gd.learn(t, verdict), recovered: (gd.unwell || gd.deferred) && verdict == nil}
	switch {
	case verdict == nil:
		l.waiting = gd.deferred
		gd.unwell, gd.deferred, gd.wellAt, gd.refused = false, false, now, refused{}
	case errors.Is(verdict, errRefuses):
		gd.refused.note(eventID, now)
	}
	l.wellAt, l.refused = gd.wellAt, gd.refused
	return l
}

// learn passes a verdict on to the breaker and says whether it opened. What a person asked for can
// only mend: its success starts the breaker anew, and what began before that is no longer heard.
func (gd *guard) learn(t turn, verdict error) (opened bool) {
	switch {
	case t.breaker == nil:
		if verdict == nil {
			gd.breaker, gd.turns = newBreaker(), turns{}
		}
		return false
	case t.breaker != gd.breaker:
		return false
	}
	before := t.breaker.openings
	t.done(verdict)
	if opened = t.breaker.openings > before; opened {
		gd.places.restart()
	}
	if gd.breaker.isClosed() {
		gd.turns = turns{}
	}
	return opened
}

// failing notes that somebody was told so, and is owed the word when it has passed.
func (g *guards) failing(gd *guard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gd.unwell = true
}

// forget drops guards idle for long and, while there are too many, the idlest. One with attempts in
// flight stays: a second one beside it would let too many in. One that somebody has a slot at, or that has refused
// something lately, stays as long as there is room.
func (g *guards) forget(now time.Time) {
	for el := g.recent.Back(); el != nil; {
		gd, next, tooMany := el.Value.(*guard), el.Prev(), g.recent.Len() > maxGuards
		if !tooMany && now.Sub(gd.usedAt) < idleGuard {
			return
		}
		if gd.places.inFlight == 0 && (tooMany || !gd.awaited(now) && now.Sub(gd.usedAt) >= gd.refused.kept()) {
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

// waiting counts the deliveries that wait for a place.
func (g *guards) waiting() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return float64(g.waiters.used)
}

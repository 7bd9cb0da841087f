package sender

import (
	"container/list"
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
	pacer    *pacer // nil: the endpoint has no rate limit
	bulkhead bulkhead
	version  int       // of the endpoint, as last seen
	heard    time.Time // when a worker last said that it fails, says the registry; zero: not since it recovered
	unwell   bool      // nobody has been told that it is well, or not since somebody was told that it fails
	wellAt   time.Time // of the latest success; zero: none since this worker knows it
	usedAt   time.Time
}

func newGuard(key endpointKey, places int) *guard {
	return &guard{key: key, breaker: newBreaker(), bulkhead: bulkhead{places: places}, unwell: true}
}

// turn is a delivery's place at an endpoint.
type turn struct {
	guard   *guard
	breaker *breaker    // that let it through; nil: none was asked, a person wants to know
	done    func(error) // tells that breaker
	taken   time.Time
}

// guards keeps the guard of each endpoint in use, the last used first.
type guards struct {
	bulkhead int
	paces    bool // keeps the rate limits itself

	mu     sync.Mutex
	byKey  map[endpointKey]*list.Element
	recent *list.List
	slots  int // remembered by all pacers
}

func newGuards(bulkhead int, paces bool) *guards {
	return &guards{bulkhead: bulkhead, paces: paces, byKey: map[endpointKey]*list.Element{}, recent: list.New()}
}

// enter takes a place at the endpoint for a delivery, or says why there is none. leave must be called
// once, with what the attempt said about the endpoint. The lock spans all the guard's parts, so that
// what one refuses costs the others nothing: no probe, no place, no token.
func (g *guards) enter(d webhook.Delivery) (t turn, refused *webhook.Deferral) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	gd, isNew := g.find(endpointKey{d.Endpoint.Tenant, d.Endpoint.ID}, now)
	if isNew {
		defer g.forget(now) // once this turn has its place, or none
	}
	gd.notice(d.Endpoint, now)
	if d.Probe {
		return turn{guard: gd, taken: now}, gd.bulkhead.take(now)
	}
	done, err := gd.breaker.Allow()
	if err != nil {
		return turn{}, gd.breaker.whyNot(err)
	}
	if refused = g.room(gd, d, now); refused != nil {
		done(errNoVerdict) // gives a probe back
		return turn{}, refused
	}
	return turn{guard: gd, breaker: gd.breaker, done: done, taken: now}, nil
}

// notice takes in what the registry says of the endpoint: that it was changed, and what other workers found.
func (gd *guard) notice(e webhook.Endpoint, now time.Time) {
	if e.Version > gd.version {
		// It has another URL, or a person has let its deliveries go, on whatever worker: an open breaker would
		// hold them up for what is past.
		gd.version, gd.heard = e.Version, time.Time{}
		gd.renew()
	}
	switch opened := e.BreakerOpenedAt; {
	case opened.IsZero() && !gd.heard.IsZero(): // somebody's probe has found it well
		gd.heard = opened
		gd.renew()
	case opened.After(gd.heard):
		// Whoever told of it may be gone when it has passed.
		gd.heard, gd.unwell = opened, true
		if now.Sub(opened).Abs() < openTime { // or it is time for a probe
			gd.breaker.trip()
		}
	}
}

func (gd *guard) renew() {
	if gd.breaker.State() != gobreaker.StateClosed {
		gd.breaker = newBreaker()
	}
}

// room takes a place and a token. The limit is asked last: its token would not come back.
func (g *guards) room(gd *guard, d webhook.Delivery, now time.Time) *webhook.Deferral {
	if full := gd.bulkhead.take(now); full != nil || !g.paces {
		return full
	}
	limited := gd.pace(d.Endpoint.RateLimit, d.Event.ID, now, &g.slots)
	if limited != nil {
		gd.bulkhead.inFlight--
	}
	return limited
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

// left is what a turn's verdict has changed.
type left struct {
	opened    bool      // the breaker
	recovered bool      // the first good verdict since the guard is new or somebody was told that the endpoint fails
	wellAt    time.Time // of the latest good verdict; zero: there was none
}

// leave gives a turn's place back.
func (g *guards) leave(t turn, verdict error) left {
	g.mu.Lock()
	defer g.mu.Unlock()
	gd, now := t.guard, time.Now()
	gd.bulkhead.giveBack(t.taken, now)
	gd.usedAt = now
	l := left{opened: gd.learn(t, verdict), recovered: gd.unwell && verdict == nil}
	if verdict == nil {
		gd.unwell, gd.wellAt = false, now
	}
	l.wellAt = gd.wellAt
	return l
}

// learn passes a verdict on to the breaker and says whether it opened. What a person asked for can
// only mend: its success starts the breaker anew, and what began before that is no longer heard.
func (gd *guard) learn(t turn, verdict error) (opened bool) {
	switch {
	case t.breaker == nil:
		if verdict == nil {
			gd.breaker = newBreaker()
		}
		return false
	case t.breaker != gd.breaker:
		return false
	}
	before := t.breaker.openings
	t.done(verdict)
	return t.breaker.openings > before
}

// failing notes that somebody was told so, and is owed the word when it has passed.
func (g *guards) failing(gd *guard) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gd.unwell = true
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

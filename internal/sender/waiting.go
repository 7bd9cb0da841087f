package sender

import (
	"container/list"
	"context"
	"time"

	"hookloop/internal/webhook"
)

// Bounds on waiting for a place in this worker's memory. The event is durable already, so what is lost with the
// worker is the place in the line.
const (
	// longestWait is how long a delivery waits at most. A wait and a short attempt fit into one workflow
	// task: after eight seconds the task would report to Temporal that it is still alive.
	longestWait = 6 * time.Second
	// tooLong is how long a wait may look when it begins. Beyond, a timer of Temporal's is cheaper.
	tooLong = 5 * time.Second
	// expectedGrowth is by how much the places of an endpoint are thought to grow while a delivery waits.
	expectedGrowth = 8

	waitersOfOne = 1024     // deliveries that wait for one endpoint
	waitersOfAll = 4096     // deliveries that wait in this worker, shared by tenants
	bytesOfAll   = 64 << 20 // of their data, likewise
)

// waiter is a delivery that waits for a place at its endpoint.
type waiter struct {
	delivery webhook.Delivery
	since    time.Time
	place    *list.Element // in the line of its guard; nil: no more
	answer   chan granted  // of one
}

// granted is what a waiter gets: a turn, or why it gets none.
type granted struct {
	turn    turn
	refused *webhook.Deferral
}

// await returns when the delivery has its turn, or will not get one soon.
func (g *guards) await(ctx context.Context, gd *guard, w *waiter) (turn, *webhook.Deferral) {
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	select {
	case a := <-w.answer:
		return a.turn, a.refused
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.place == nil { // answered meanwhile
		a := <-w.answer
		return a.turn, a.refused
	}
	g.drop(gd, w)
	if ctx.Err() != nil {
		return turn{}, stopping()
	}
	return turn{}, gd.places.deferral(time.Now())
}

// mayWait says whether it is worth waiting for a place, and whether there is room to.
func (g *guards) mayWait(gd *guard, d webhook.Delivery, now time.Time) bool {
	ahead := gd.line.Len() + 1
	if gd.places.inFlight == 0 || ahead > waitersOfOne {
		return false // no place will come back, or not for this one
	}
	wait := time.Duration(ahead) * gd.places.gap(now, 0)
	if gd.places.growing(now) {
		wait /= expectedGrowth
	}
	if wait > tooLong || !g.waiters.take(d.Event.Tenant, 1) {
		return false
	}
	if !g.bytes.take(d.Event.Tenant, len(d.Content.Data)) {
		g.waiters.giveBack(d.Event.Tenant, 1)
		return false
	}
	return true
}

// queue puts a delivery at the end of the line.
func (g *guards) queue(gd *guard, d webhook.Delivery, now time.Time) *waiter {
	w := &waiter{delivery: d, since: now, answer: make(chan granted, 1)}
	w.place = gd.line.PushBack(w)
	return w
}

// drop takes a waiter out of the line.
func (g *guards) drop(gd *guard, w *waiter) {
	gd.line.Remove(w.place)
	w.place = nil
	g.waiters.giveBack(w.delivery.Event.Tenant, 1)
	g.bytes.giveBack(w.delivery.Event.Tenant, len(w.delivery.Content.Data))
}

// serve answers those at the head of the line for whom there is a place now, and all of them when the
// breaker is open.
func (g *guards) serve(gd *guard, now time.Time) {
	for el := gd.line.Front(); el != nil; el = gd.line.Front() {
		if !gd.breaker.isOpen() && !gd.places.free() {
			return
		}
		w := el.Value.(*waiter)
		t, refused := g.grant(gd, w.delivery, now)
		g.drop(gd, w)
		w.answer <- granted{t, refused}
	}
}

package guard

import (
	"container/list"
	"context"
	"time"

	"hookloop/internal/webhook"
)

// Bounds on waiting for a permit in this worker's memory. The event is durable already, so what is
// lost with the worker is the delivery's place in the queue.
const (
	// maxWait bounds a wait. It and a short attempt fit into one workflow task: after eight seconds
	// the task would report to Temporal that it is still alive.
	maxWait = 6 * time.Second
	// maxExpectedWait bounds how long a wait may look when it begins. Beyond, a timer of Temporal's
	// is cheaper.
	maxExpectedWait = 5 * time.Second
	// expectedGrowth is the factor by which an endpoint's limit is thought to grow during a wait.
	expectedGrowth = 8

	maxQueue        = 1024     // deliveries that wait for one endpoint
	maxWaiting      = 4096     // deliveries that wait in this worker, shared by tenants
	maxWaitingBytes = 64 << 20 // of their data, likewise
)

// waiter is a delivery that waits for a permit.
type waiter struct {
	delivery webhook.Delivery
	queued   *list.Element // in the queue of its endpoint; nil: no more
	answer   chan answer   // of one
}

// answer is what a waiter gets: a permit, or why there is none.
type answer struct {
	permit   Permit
	deferral *webhook.Deferral
}

// await returns when the delivery has its permit, or will not get one soon.
func (g *Guard) await(ctx context.Context, e *endpoint, w *waiter) (Permit, *webhook.Deferral) {
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case a := <-w.answer:
		return a.permit, a.deferral
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.queued == nil { // answered meanwhile
		a := <-w.answer
		return a.permit, a.deferral
	}
	g.dequeue(e, w)
	if ctx.Err() != nil {
		return Permit{}, Stopping()
	}
	return Permit{}, e.concurrency.deferral(time.Now())
}

// mayWait says whether a wait in memory is worth it and fits, and if so, claims the memory.
func (g *Guard) mayWait(e *endpoint, d webhook.Delivery, now time.Time) bool {
	ahead := e.queue.Len() + 1
	if e.concurrency.inFlight == 0 || ahead > maxQueue {
		return false // no attempt will end, or not for this delivery
	}
	wait := time.Duration(ahead) * e.concurrency.gap(now, 0)
	if e.concurrency.growing(now) {
		wait /= expectedGrowth
	}
	if wait > maxExpectedWait || !g.waiting.take(d.Event.Tenant, 1) {
		return false
	}
	if !g.waitingBytes.take(d.Event.Tenant, len(d.Content.Data)) {
		g.waiting.giveBack(d.Event.Tenant, 1)
		return false
	}
	return true
}

// enqueue puts a delivery at the end of its endpoint's queue.
func (g *Guard) enqueue(e *endpoint, d webhook.Delivery) *waiter {
	w := &waiter{delivery: d, answer: make(chan answer, 1)}
	w.queued = e.queue.PushBack(w)
	return w
}

// dequeue takes a waiter out of the queue.
func (g *Guard) dequeue(e *endpoint, w *waiter) {
	e.queue.Remove(w.queued)
	w.queued = nil
	g.waiting.giveBack(w.delivery.Event.Tenant, 1)
	g.waitingBytes.giveBack(w.delivery.Event.Tenant, len(w.delivery.Content.Data))
}

// serveQueue answers the waiters at the head of the queue as far as the limit allows, and all of
// them when the breaker is open.
func (g *Guard) serveQueue(e *endpoint, now time.Time) {
	for el := e.queue.Front(); el != nil; el = e.queue.Front() {
		if !e.breaker.isOpen() && e.concurrency.full() {
			return
		}
		w := el.Value.(*waiter)
		p, deferral := g.grant(e, w.delivery, now)
		g.dequeue(e, w)
		w.answer <- answer{p, deferral}
	}
}

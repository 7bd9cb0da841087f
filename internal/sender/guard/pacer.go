package guard

import (
	"container/list"
	"time"

	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

// Bounds on the slots remembered for one endpoint and for all of them: at about 250 bytes each, 4
// and 32 MiB. Deliveries beyond are deferred all the same, behind the last slot and spread.
const (
	maxSlots    = 1 << 14
	maxAllSlots = 1 << 17
)

// pacer keeps the attempts at one endpoint to its rate limit. A turn that finds no token gets a
// slot: the time of the next token that is not promised yet. The delivery comes back for its slot
// and passes once. Slots do not outlive the worker: after a restart they are dealt out anew. The
// Guard's lock protects it.
type pacer struct {
	limit   webhook.RateLimit
	limiter *rate.Limiter
	slots   map[string]*list.Element // by event: the endpoint's deliveries differ in nothing else
	order   *list.List               // of *slot, the earliest first
	all     *int                     // how many slots there are in all pacers
}

type slot struct {
	event string
	at    time.Time
	again bool // the delivery missed a slot before: this one is good however late, so that it passes at last
}

// pace asks the endpoint's rate limit, as it is now. An invalid limit limits nothing.
func (e *endpoint) pace(limit webhook.RateLimit, event string, now time.Time, all *int) *webhook.Deferral {
	switch {
	case limit.Check() != nil:
		e.unpace()
		return nil
	case e.pacer == nil:
		e.pacer = newPacer(limit, all)
	default:
		e.pacer.adjust(limit, now)
	}
	return e.pacer.pass(event, now)
}

func (e *endpoint) unpace() {
	if e.pacer != nil {
		*e.pacer.all -= e.pacer.order.Len()
		e.pacer = nil
	}
}

// hasSlots says whether a delivery has a slot at the endpoint.
func (e *endpoint) hasSlots(now time.Time) bool {
	if e.pacer == nil {
		return false
	}
	e.pacer.sweep(now)
	return e.pacer.order.Len() > 0
}

func newPacer(limit webhook.RateLimit, all *int) *pacer {
	return &pacer{
		limit:   limit,
		limiter: rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst),
		slots:   map[string]*list.Element{},
		order:   list.New(),
		all:     all,
	}
}

// adjust follows an edit of the limit. The slots already given move with it, as the limiter's own
// debt of tokens does: they stay distinct, and a thousand times the rate is a thousandth of the
// wait.
func (p *pacer) adjust(limit webhook.RateLimit, now time.Time) {
	if limit == p.limit {
		return
	}
	stretch := p.limit.PerSecond / limit.PerSecond
	for el := p.order.Front(); el != nil; el = el.Next() {
		if s := el.Value.(*slot); s.at.After(now) {
			s.at = now.Add(time.Duration(float64(s.at.Sub(now)) * stretch))
		}
	}
	p.limiter.SetLimitAt(now, rate.Limit(limit.PerSecond))
	p.limiter.SetBurstAt(now, limit.Burst)
	p.limit = limit
}

// pass spends a token on the delivery of event, or says when to come back for one.
func (p *pacer) pass(event string, now time.Time) *webhook.Deferral {
	p.sweep(now)
	el, waits := p.slots[event]
	if !waits {
		return p.reserve(event, now, false)
	}
	s := el.Value.(*slot)
	late := now.Sub(s.at)
	if late < -webhook.SlotTolerance {
		return p.limit.Defer(s.at, now)
	}
	p.remove(el)
	if late > p.limit.Patience() && !s.again {
		return p.reserve(event, now, true)
	}
	return nil
}

func (p *pacer) reserve(event string, now time.Time, again bool) *webhook.Deferral {
	r := p.limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= webhook.SlotTolerance {
		return nil
	}
	at := now.Add(wait)
	if p.order.Len() >= maxSlots || *p.all >= maxAllSlots {
		r.CancelAt(now) // gives all of it back: no reservation was made since
		return p.limit.Defer(at.Add((webhook.Jitter(wait, event, 0) - wait).Abs()), now)
	}
	p.slots[event] = p.order.PushBack(&slot{event: event, at: at, again: again})
	*p.all++
	return p.limit.Defer(at, now)
}

// sweep drops the slots whose deliveries did not come: cancelled ones, and those that another
// worker took.
func (p *pacer) sweep(now time.Time) {
	for el := p.order.Front(); el != nil && now.Sub(el.Value.(*slot).at) > webhook.SlotKept; el = p.order.Front() {
		p.remove(el)
	}
}

func (p *pacer) remove(el *list.Element) {
	delete(p.slots, el.Value.(*slot).event)
	p.order.Remove(el)
	*p.all--
}

// Package health reports how endpoints fare: to the workflows that ask people, and to the other workers. Senders report
// and never wait for it. What a report leads to is for those who get it to decide.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"hookloop/internal/webhook"
)

const (
	// sameNews is how long the same is not told again: hundreds of deliveries may fail at once, and go on
	// failing. It is less than a breaker takes to open again.
	sameNews = 20 * time.Second

	// waitingNews bounds what is to be told, and telling how long Temporal may take. What finds no room is
	// told when it happens again.
	waitingNews = 1024
	telling     = 10 * time.Second
)

// What marks news apart: that an endpoint wants no more says more than that it fails, and that a delivery
// persists in failing, or that the endpoint refuses every event, says less to the other workers.
const (
	gone     = " gone"
	persists = " persists"
	refuses  = " refuses"
)

// unheeded is how long ago a breaker is said to have opened of which others need only know that it must recover:
// longer than one stays open, whatever their clocks say.
const unheeded = 5 * time.Minute

// Breakers is where workers tell each other that an endpoint's breaker opened, and that it recovered.
type Breakers interface {
	ReportBreaker(ctx context.Context, tenant, id string, openedAt time.Time) error
}

// Approvals ask people about endpoints that keep failing; orchestrator.Approvals reaches them.
type Approvals interface {
	// Failing begins an endpoint's episode if there is none.
	Failing(ctx context.Context, tenant, endpointID string, f webhook.Failing) error
	// Recovered says what an endpoint took. If deliveries wait to hear of it, and no episode is open, one begins to
	// tell them.
	Recovered(ctx context.Context, tenant, endpointID string, took webhook.Answer, waiting bool) error
}

// Reporter tells approvals how endpoints fare, and the other workers. Its methods never block: deliveries do not wait for it.
type Reporter struct {
	approvals Approvals
	breakers  Breakers
	log       *slog.Logger
	news      chan news
	done      chan struct{}
	stop      context.CancelFunc
	ctx       context.Context

	mu    sync.Mutex
	told  map[string]time.Time // when an endpoint was last said to fail
	sweep time.Time
}

type news struct {
	tenant, endpointID string
	openedAt           time.Time
	failing            *webhook.Failing // nil: it recovered
	took               webhook.Answer   // what it recovered with
	waiting            bool             // deliveries want to hear of the recovery
}

// NewReporter begins to report; Close ends it. Without breakers (nil) each worker finds out for itself.
func NewReporter(a Approvals, b Breakers, log *slog.Logger) *Reporter {
	ctx, stop := context.WithCancel(context.Background())
	r := &Reporter{
		approvals: a, breakers: b, log: log, ctx: ctx, stop: stop,
		news: make(chan news, waitingNews), done: make(chan struct{}), told: map[string]time.Time{},
	}
	go r.run()
	return r
}

// Close gives up what was not told yet: it will be when it happens again.
func (r *Reporter) Close() {
	r.stop()
	<-r.done
}

// Failing tells that the endpoint's breaker opened, or that it wants no more deliveries.
func (r *Reporter) Failing(tenant, endpointID string, a webhook.Attempt, eventID string) {
	kind := ""
	if a.IsGone() {
		kind = gone
	}
	r.failing(kind, news{
		tenant: tenant, endpointID: endpointID, openedAt: time.Now(),
		failing: &webhook.Failing{Answer: webhook.AnswerOf(a, eventID), Gone: a.IsGone()},
	})
}

// Persists tells that a delivery keeps failing, and no breaker opened.
func (r *Reporter) Persists(tenant, endpointID string, a webhook.Attempt, eventID string) {
	r.failing(persists, news{
		tenant: tenant, endpointID: endpointID, openedAt: time.Now().Add(-unheeded),
		failing: &webhook.Failing{Answer: webhook.AnswerOf(a, eventID)},
	})
}

// Refuses tells that the endpoint takes nothing and refuses one event after the other.
func (r *Reporter) Refuses(tenant, endpointID string, a webhook.Attempt, eventID string, since time.Time) {
	since = since.UTC()
	r.failing(refuses, news{
		tenant: tenant, endpointID: endpointID, openedAt: time.Now().Add(-unheeded),
		failing: &webhook.Failing{Answer: webhook.AnswerOf(a, eventID), RefusesSince: &since},
	})
}

// failing puts what is news among its kind.
func (r *Reporter) failing(kind string, n news) {
	key, now := n.tenant+"/"+n.endpointID+kind, time.Now()
	r.mu.Lock()
	last, known := r.told[key]
	fresh := !known || now.Sub(last) >= sameNews
	if fresh {
		r.told[key] = now
		r.forget(now)
	}
	r.mu.Unlock()
	if fresh {
		r.put(n)
	}
}

// Recovered tells that the endpoint takes deliveries. If some wait to hear of it, an approval that has ended already
// is no reason not to tell them.
func (r *Reporter) Recovered(tenant, endpointID string, a webhook.Attempt, eventID string, waiting bool) {
	r.mu.Lock()
	for _, kind := range []string{"", gone, persists, refuses} { // to fail again would be news
		delete(r.told, tenant+"/"+endpointID+kind)
	}
	r.mu.Unlock()
	r.put(news{tenant: tenant, endpointID: endpointID, took: webhook.AnswerOf(a, eventID), waiting: waiting})
}

// forget keeps the map as small as what is news.
func (r *Reporter) forget(now time.Time) {
	if now.Sub(r.sweep) < sameNews {
		return
	}
	r.sweep = now
	for key, at := range r.told {
		if now.Sub(at) >= sameNews {
			delete(r.told, key)
		}
	}
}

func (r *Reporter) put(n news) {
	select {
	case r.news <- n:
	default:
		r.log.Warn("too much to report about endpoints", "tenant", n.tenant, "endpoint", n.endpointID)
	}
}

func (r *Reporter) run() {
	defer close(r.done)
	for {
		select {
		case <-r.ctx.Done():
			return
		case n := <-r.news:
			if err := r.tell(n); err != nil && r.ctx.Err() == nil {
				r.log.Warn("not reported to its approval; it will be when it happens again", "tenant", n.tenant, "endpoint", n.endpointID, "error", err)
			}
		}
	}
}

func (r *Reporter) tell(n news) error {
	ctx, cancel := context.WithTimeout(r.ctx, telling)
	defer cancel()
	return errors.Join(r.tellWorkers(ctx, n), r.tellApproval(ctx, n))
}

func (r *Reporter) tellApproval(ctx context.Context, n news) error {
	if n.failing == nil {
		return r.approvals.Recovered(ctx, n.tenant, n.endpointID, n.took, n.waiting)
	}
	return r.approvals.Failing(ctx, n.tenant, n.endpointID, *n.failing)
}

// tellWorkers lets the others heed the breaker at their next turn.
func (r *Reporter) tellWorkers(ctx context.Context, n news) error {
	if r.breakers == nil {
		return nil
	}
	var openedAt time.Time
	if n.failing != nil {
		openedAt = n.openedAt.UTC().Truncate(time.Microsecond)
	}
	return r.breakers.ReportBreaker(ctx, n.tenant, n.endpointID, openedAt)
}

package orchestrator

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/errgroup"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Waiting tells what of a tenant's has not been delivered yet, and why.
type Waiting struct {
	link

	known *lru.Cache[string, *counted] // by tenant
}

// Waiting is the part that tells what waits.
func (o *Orchestrator) Waiting() *Waiting {
	known, _ := lru.New[string, *counted](countedTenants) // fails for no size alone
	return &Waiting{link: o.link, known: known}
}

// WaitingFilter says which deliveries are wanted; a zero value leaves all in.
type WaitingFilter struct {
	Tenant     string // required
	EndpointID string
	Status     webhook.DeliveryStatus // one that goes on
}

func (f WaitingFilter) query() query {
	parts := []query{ofType(workflows.TypeDelivery), is(workflows.Tenant, f.Tenant), running}
	if f.EndpointID != "" {
		parts = append(parts, is(workflows.Endpoint, f.EndpointID))
	}
	switch f.Status { //nolint:exhaustive // the others stand for themselves
	case "":
	case webhook.Held: // a parked one waits for a person, too
		parts = append(parts, isIn(workflows.Outcome, string(webhook.Held), string(webhook.ApprovalAwaiting)))
	default:
		parts = append(parts, is(workflows.Outcome, string(f.Status)))
	}
	return where(parts...)
}

// WaitingItem is a delivery that goes on.
type WaitingItem struct {
	EventID, EventType string
	AcceptedAt         time.Time // the event
	Report             webhook.DeliveryReport
}

// List gives a page of the deliveries that go on, those first that began last, and where the next
// page begins; nil: that was the last. The list is a moment behind; why each waits, its workflow
// says itself.
func (w *Waiting) List(ctx context.Context, f WaitingFilter, size int, page []byte) ([]WaitingItem, []byte, error) {
	found, next, err := w.list(ctx, f.query(), size, page)
	if err != nil {
		return nil, nil, fmt.Errorf("undelivered: %w", failed(err))
	}
	all := make([]WaitingItem, len(found))
	var loading errgroup.Group
	loading.SetLimit(atOnce)
	for i, x := range found {
		loading.Go(func() error {
			all[i] = w.load(ctx, f.Tenant, x)
			return nil
		})
	}
	_ = loading.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("undelivered: %w", failed(err))
	}
	return slices.DeleteFunc(all, func(i WaitingItem) bool { return i.Report.Status.Ended() }), next, nil
}

// load asks a delivery why it waits. One that cannot say is shown as the list has it.
func (w *Waiting) load(ctx context.Context, tenant string, x Execution) WaitingItem {
	item := WaitingItem{
		EventID: x.eventID(tenant, x.Endpoint), EventType: x.EventType, AcceptedAt: x.acceptedAt(),
		Report: webhook.DeliveryReport{EndpointID: x.Endpoint, Status: x.waitingStatus(), WorkflowID: x.WorkflowID},
	}
	d, err := w.describe(ctx, x.WorkflowID, "delivery")
	if err != nil || d.fresh {
		return item
	}
	var own webhook.DeliveryReport
	if err := w.report(ctx, d, "delivery", &own); err != nil {
		item.Report.Reason = "no worker could tell"
		return item
	}
	d.showWait(&own, w.converter)
	item.Report = own
	return item
}

// waitingStatus is that of a delivery, of which a parked one is held.
func (x Execution) waitingStatus() webhook.DeliveryStatus {
	if x.Outcome == string(webhook.ApprovalAwaiting) {
		return webhook.Held
	}
	return x.outcome()
}

func (x Execution) acceptedAt() time.Time {
	if t, err := time.Parse(workflows.AcceptedFormat, x.Accepted); err == nil {
		return t
	}
	return x.Start.UTC()
}

// Census counts a tenant's deliveries that go on.
type Census struct {
	At        time.Time // when it was taken
	Whole     bool      // there are no more than were counted
	All       Backlogged
	Endpoints map[string]Backlogged // by id; those with none are missing
}

// Backlogged is what waits for one endpoint, or for all.
type Backlogged struct {
	Waiting int       // deliveries, those held among them; not the parked
	Held    int       // until a person decides about the endpoint, or resumes it
	Parked  int       // until a person lets their event go
	Oldest  time.Time // when the event of the oldest was accepted; zero: nothing waits
}

func (b Backlogged) with(x Execution) Backlogged {
	switch x.Outcome {
	case string(webhook.ApprovalAwaiting):
		b.Parked++
	case string(webhook.Held):
		b.Held++
		b.Waiting++
	default:
		b.Waiting++
	}
	if at := x.acceptedAt(); b.Oldest.IsZero() || at.Before(b.Oldest) {
		b.Oldest = at
	}
	return b
}

const (
	censusPage = 1000
	// mostCounted bounds a census, which reads as many lines of a list.
	mostCounted = 20_000
	// A census is good for censusFresh, or for ten times as long as it took if that is more: asking
	// often must not cost more than a tenth of a processor.
	censusFresh = 3 * time.Second
	// censusSlow is how long one takes that fails because Temporal hangs.
	censusSlow = time.Second
	// countedTenants is of how many tenants the latest census is kept.
	countedTenants = 1000
)

// counted is the latest census of a tenant.
type counted struct {
	mu     sync.Mutex
	census Census
	err    error // why there is none
	until  time.Time
}

// Census counts the deliveries of a tenant that go on, or gives the latest count if it is only
// seconds old. Visibility has no sums by endpoint, so it reads the list, twenty thousand at most.
func (w *Waiting) Census(ctx context.Context, tenant string) (Census, error) {
	c := &counted{}
	if known, ok, _ := w.known.PeekOrAdd(tenant, c); ok {
		c = known
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	began := time.Now()
	if began.Before(c.until) {
		return c.census, c.err
	}
	census, err := w.take(ctx, tenant)
	if err != nil {
		err = fmt.Errorf("undelivered: %w", failed(err))
		if time.Since(began) > censusSlow { // calls that wait behind it need not find out again
			c.census, c.err, c.until = Census{}, err, time.Now().Add(censusFresh)
		}
		return Census{}, err
	}
	census.At = began
	c.census, c.err, c.until = census, nil, time.Now().Add(max(censusFresh, 10*time.Since(began)))
	return census, nil
}

func (w *Waiting) take(ctx context.Context, tenant string) (Census, error) {
	c := Census{Endpoints: map[string]Backlogged{}}
	q := WaitingFilter{Tenant: tenant}.query()
	n := 0
	for x, err := range w.every(ctx, q, censusPage) {
		if err != nil {
			return c, err
		}
		if n++; n > mostCounted { // the list goes on: how many there are is one question more
			all, err := w.count(ctx, q)
			c.All.Waiting = max(c.All.Waiting, all-c.All.Parked)
			return c, err
		}
		c.All, c.Endpoints[x.Endpoint] = c.All.with(x), c.Endpoints[x.Endpoint].with(x)
	}
	c.Whole = true
	return c, nil
}

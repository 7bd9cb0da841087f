package orchestrator

import (
	"context"
	"fmt"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// The data kept for retries: so many events, and so many bytes of all together. An event retried to
// many endpoints is fetched once.
const (
	cachedEvents = 256
	cachedBytes  = 64 << 20
)

// Bodies keep the data of large events outside of their histories; bodies.Bodies does.
type Bodies interface {
	// Put keeps data and gives what the history holds in its place.
	Put(ctx context.Context, e webhook.Event, data []byte) (converter.RawValue, error)
	// Data is what p, found in the event's history, is or refers to.
	Data(ctx context.Context, e webhook.Event, p *commonpb.Payload) ([]byte, error)
}

// Contents reads what events say from where it was written once: the arguments in the first event
// of the Event workflow's history.
type Contents struct {
	link

	bodies Bodies
	cache  *lru.Cache[string, webhook.Content]
	bytes  atomic.Int64 // in the cache
}

// Contents is the part that reads what events say. Data that lies outside of histories it finds in
// bodies; nil: there is none.
func (o *Orchestrator) Contents(bodies Bodies) (*Contents, error) {
	c := &Contents{link: o.link, bodies: bodies}
	var err error
	c.cache, err = lru.NewWithEvict(cachedEvents, func(_ string, gone webhook.Content) { c.bytes.Add(-size(gone)) })
	return c, err
}

// EventContent is the content of e, accepted by the given run. The error is of TypeEventGone when
// nothing holds it any more.
func (c *Contents) EventContent(ctx context.Context, e webhook.Event, runID string) (webhook.Content, error) {
	id := workflows.EventWorkflowID(e.Tenant, e.ID)
	if known, ok := c.cache.Get(id); ok {
		return known, nil
	}
	read, err := c.read(ctx, e, id, runID)
	if err != nil || e.Stored > 0 { // the bodies have a cache of their own
		return read, err
	}
	c.keep(id, read)
	return read, nil
}

// keep may let go of others, the longest unused first.
func (c *Contents) keep(id string, read webhook.Content) {
	c.bytes.Add(size(read)) // before another reader can let go of it
	if known, _ := c.cache.ContainsOrAdd(id, read); known {
		c.bytes.Add(-size(read))
	}
	for c.bytes.Load() > cachedBytes && c.cache.Len() > 0 {
		c.cache.RemoveOldest()
	}
}

// Forget lets go of what an event said.
func (c *Contents) Forget(tenant, eventID string) {
	c.cache.Remove(workflows.EventWorkflowID(tenant, eventID))
}

func size(c webhook.Content) int64 { return int64(len(c.Data) + len(c.Context)) }

func (c *Contents) read(ctx context.Context, e webhook.Event, workflowID, runID string) (webhook.Content, error) {
	in, held, err := c.eventInput(ctx, workflowID, runID)
	if unknown(err) {
		return webhook.Content{}, activities.EventGone(err)
	}
	if err != nil {
		return webhook.Content{}, fmt.Errorf("history of %s: %w", workflowID, err)
	}
	content := webhook.Content{Data: held.Payload().GetData(), Context: in.Context}
	if e.Stored == 0 || c.bodies == nil {
		return content, nil
	}
	content.Data, err = c.bodies.Data(ctx, e, held.Payload())
	if webhook.CodeOf(err) == webhook.NotFound {
		return content, activities.EventGone(err)
	}
	return content, err
}

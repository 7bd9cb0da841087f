package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
)

// The data kept for retries: so many events, and so many bytes of all together. An event retried to many
// endpoints is fetched once.
const (
	cachedEvents = 256
	cachedBytes  = 64 << 20
)

// HistoryReader is the one call of a Temporal client that History needs.
type HistoryReader interface {
	GetWorkflowHistory(ctx context.Context, workflowID, runID string, longPoll bool,
		filter enumspb.HistoryEventFilterType) client.HistoryEventIterator
}

// History reads an event's content from where it was written once: the arguments in the first history
// event of the Event workflow.
type History struct {
	client    HistoryReader
	converter converter.DataConverter
	bodies    Bodies
	name      func(tenant, eventID string) string
	cache     *lru.Cache[string, webhook.Content]
	bytes     atomic.Int64 // in the cache
}

// NewHistory reads through c, decodes with dc, and finds an event's workflow by name. Data that lies
// outside of histories it finds in bodies; nil: there is none.
func NewHistory(c HistoryReader, dc converter.DataConverter, bodies Bodies, name func(tenant, eventID string) string) (*History, error) {
	h := &History{client: c, converter: dc, bodies: bodies, name: name}
	var err error
	h.cache, err = lru.NewWithEvict(cachedEvents, func(_ string, gone webhook.Content) { h.bytes.Add(-size(gone)) })
	return h, err
}

// EventContent is the content of e, accepted by the given run. The error is of TypeEventGone when
// nothing holds it any more.
func (h *History) EventContent(ctx context.Context, e webhook.Event, runID string) (webhook.Content, error) {
	id := h.name(e.Tenant, e.ID)
	if c, ok := h.cache.Get(id); ok {
		return c, nil
	}
	c, err := h.read(ctx, e, id, runID)
	if err != nil || e.Stored > 0 { // the bodies have a cache of their own
		return c, err
	}
	h.keep(id, c)
	return c, nil
}

// keep may let go of others, the longest unused first.
func (h *History) keep(id string, c webhook.Content) {
	h.bytes.Add(size(c)) // before somebody else can let go of it
	if known, _ := h.cache.ContainsOrAdd(id, c); known {
		h.bytes.Add(-size(c))
	}
	for h.bytes.Load() > cachedBytes && h.cache.Len() > 0 {
		h.cache.RemoveOldest()
	}
}

func size(c webhook.Content) int64 { return int64(len(c.Data) + len(c.Context)) }

func (h *History) read(ctx context.Context, e webhook.Event, workflowID, runID string) (c webhook.Content, err error) {
	first, err := h.client.GetWorkflowHistory(ctx, workflowID, runID, false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return c, eventGone(err)
	}
	if err != nil {
		return c, fmt.Errorf("history of %s: %w", workflowID, err)
	}
	var facts struct { // of workflows.EventInput, which stands above us
		Context json.RawMessage `json:"context"`
	}
	var data converter.RawValue
	input := first.GetWorkflowExecutionStartedEventAttributes().GetInput()
	if err := h.converter.FromPayloads(input, &facts, &data); err != nil {
		return c, fmt.Errorf("input of %s: %w", workflowID, err)
	}
	c = webhook.Content{Data: data.Payload().GetData(), Context: facts.Context}
	if e.Stored == 0 || h.bodies == nil {
		return c, nil
	}
	c.Data, err = h.bodies.Data(ctx, e, data.Payload())
	if webhook.CodeOf(err) == webhook.NotFound {
		return c, eventGone(err)
	}
	return c, err
}

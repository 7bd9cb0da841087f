package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
)

// The data kept for retries: 256 events of at most 256 KiB are 64 MiB. An event retried to many endpoints is
// fetched once; what is larger than an app's can be is fetched for each attempt.
const (
	cachedEvents = 256
	cachedData   = webhook.MaxBody
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
	name      func(tenant, eventID string) string
	cache     *lru.Cache[string, webhook.Content]
}

// NewHistory reads through c, decodes with dc, and finds an event's workflow by name.
func NewHistory(c HistoryReader, dc converter.DataConverter, name func(tenant, eventID string) string) (*History, error) {
	cache, err := lru.New[string, webhook.Content](cachedEvents)
	if err != nil {
		return nil, err
	}
	return &History{client: c, converter: dc, name: name, cache: cache}, nil
}

// EventContent is the content of e, accepted by the given run. The error is of TypeEventGone when
// nothing holds it any more.
func (h *History) EventContent(ctx context.Context, e webhook.Event, runID string) (webhook.Content, error) {
	id := h.name(e.Tenant, e.ID)
	if c, ok := h.cache.Get(id); ok {
		return c, nil
	}
	c, err := h.read(ctx, id, runID)
	if err != nil {
		return c, err
	}
	if len(c.Data) <= cachedData {
		h.cache.Add(id, c)
	}
	return c, nil
}

func (h *History) read(ctx context.Context, workflowID, runID string) (c webhook.Content, err error) {
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
	return webhook.Content{Data: data.Payload().GetData(), Context: facts.Context}, nil
}

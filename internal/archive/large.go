package archive

import (
	"context"
	"errors"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/semaphore"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Bodies find the data of large events, of which histories hold a reference; bodies.Bodies does.
type Bodies interface {
	// Held gives what a history would hold if the data were not too large, sealed as histories are.
	// p is what it holds; nil says that this is the data. The error carries webhook.NotFound when
	// the data has gone.
	Held(ctx context.Context, e webhook.Event, p *commonpb.Payload) (*commonpb.Payload, error)
}

// large puts the data of large events back into the copies of their histories.
type large struct {
	bodies Bodies              // nil: none is looked for
	turn   *semaphore.Weighted // one at a time: 25 MiB lie in the memory six times while they are written
}

// eventOf is the event that a workflow id names; the zero event: none.
func eventOf(workflowID string) webhook.Event {
	parts := strings.Split(workflowID, "/")
	if len(parts) != 3 || parts[0] != "event" {
		return webhook.Event{}
	}
	return webhook.Event{Tenant: parts[1], ID: parts[2]}
}

// dataOf is where an event's history holds its data: the second argument of its start.
func dataOf(e *historypb.HistoryEvent) []*commonpb.Payload {
	start := e.GetWorkflowExecutionStartedEventAttributes()
	if all := start.GetInput().GetPayloads(); start.GetWorkflowType().GetName() == workflows.TypeEvent && len(all) == 2 {
		return all[1:]
	}
	return nil
}

// fill puts the data in the place of a reference to it. done says that it was written.
func (h *history) fill(e *historypb.HistoryEvent) (done func(), err error) {
	data := dataOf(e)
	if data == nil || h.large.bodies == nil || h.event.ID == "" {
		return func() {}, nil
	}
	if err := h.large.turn.Acquire(h.ctx, 1); err != nil {
		return nil, err
	}
	held, err := h.large.bodies.Held(h.ctx, h.event, data[0])
	switch {
	case held != nil:
		data[0] = held
		return func() { h.large.turn.Release(1) }, nil
	case webhook.CodeOf(err) == webhook.NotFound:
		h.bodiless, err = true, nil
	}
	h.large.turn.Release(1)
	return func() {}, err
}

// Data is the data of an event, byte for byte as it was accepted, from the history that Read has
// read.
func Data(h *historypb.History) ([]byte, error) {
	data := dataOf(h.GetEvents()[0])
	switch {
	case data == nil:
		return nil, errors.New("it is not the history of an event, and holds no data")
	case len(data[0].GetMetadata()[webhook.BodyReference]) > 0:
		return nil, errors.New("its data was not copied: the file holds its size and hash, " + string(data[0].GetData()))
	case string(data[0].GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON:
		return nil, errors.New("its data is encrypted, with a key that is not at hand")
	}
	return data[0].GetData(), nil
}

// Package audit reads histories for people and for auditors' tools: who, what, when, which answer,
// who decided. It decides what of a history a person wants to know; who may ask is left to its
// callers.
package audit

import (
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Trail is a history for people and for auditors' tools: who, what, when, which answer, who
// decided.
type Trail struct {
	Type       string    `json:"type"`
	WorkflowID string    `json:"workflow_id"`
	RunID      string    `json:"run_id"`
	Start      time.Time `json:"start"`
	Close      time.Time `json:"close"`
	Encrypted  bool      `json:"encrypted,omitempty"` // what needs a key is not in here
	Lines      []Line    `json:"lines"`
}

// Line is one thing that happened.
type Line struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"`
	Actor      string    `json:"actor,omitempty" doc:"Who asked or decided; absent: Hookloop by itself."`
	EndpointID string    `json:"endpoint_id,omitempty"`
	Detail     string    `json:"detail,omitempty"`
	EventID    string    `json:"event_id,omitempty"`
	WorkflowID string    `json:"workflow_id,omitempty" doc:"Find where it happened by it in the Temporal UI."`

	copied bool // from another trail, for readers of this one alone
}

// NewTrail reads a history that has been opened as far as it can be.
func NewTrail(h *historypb.History) Trail {
	b := &trailBuilder{scheduled: map[int64]*historypb.HistoryEvent{}}
	events := h.GetEvents()
	first, last := events[0], events[len(events)-1]
	started := first.GetWorkflowExecutionStartedEventAttributes()
	b.Trail = Trail{
		Type: started.GetWorkflowType().GetName(), WorkflowID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId(),
		Start: first.GetEventTime().AsTime(), Close: last.GetEventTime().AsTime(), Lines: []Line{},
	}
	for _, e := range events {
		before := len(b.Lines)
		b.shut, b.about = false, endpointIn(b.WorkflowID)
		b.event(e)
		for i := before; b.shut && i < len(b.Lines); i++ {
			b.Lines[i].Detail = "encrypted" // and not what it looks like to who cannot read it
		}
		b.Encrypted = b.Encrypted || b.shut
	}
	return b.Trail
}

// trailBuilder is a trail being written.
type trailBuilder struct {
	Trail
	// id of the endpoint that the event at hand is about
	about string
	shut  bool // something of the event at hand did not open
	// activities by the number of the event that asked for them
	scheduled map[int64]*historypb.HistoryEvent
}

func (b *trailBuilder) add(e *historypb.HistoryEvent, kind, actor, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	b.Lines = append(b.Lines, Line{At: e.GetEventTime().AsTime(), Kind: kind, Actor: actor, EndpointID: b.about, Detail: detail})
}

// event notes what a person may want to know; how Temporal went about it is left out.
func (b *trailBuilder) event(e *historypb.HistoryEvent) {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		b.started(e)
	case enums.EVENT_TYPE_MARKER_RECORDED:
		b.marked(e)
	case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		b.scheduled[e.GetEventId()] = e
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		if a := e.GetActivityTaskStartedEventAttributes(); a.GetAttempt() > 1 {
			b.add(e, "deferred", "", "%s; the last: %s", plural(int(a.GetAttempt())-1, "turn"), a.GetLastFailure().GetMessage())
		}
	case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		a := e.GetActivityTaskCompletedEventAttributes()
		b.done(e, b.scheduled[a.GetScheduledEventId()].GetActivityTaskScheduledEventAttributes(), a.GetResult())
	case enums.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := e.GetActivityTaskFailedEventAttributes()
		b.undone(e, a.GetScheduledEventId(), a.GetFailure().GetMessage())
	case enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		a := e.GetActivityTaskTimedOutEventAttributes()
		b.undone(e, a.GetScheduledEventId(), a.GetFailure().GetMessage())
	case enums.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		b.undone(e, e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), "ended by an order")
	case enums.EVENT_TYPE_TIMER_STARTED:
		wait := e.GetTimerStartedEventAttributes().GetStartToFireTimeout().AsDuration()
		b.add(e, "waits", "", "%s%s", wait.Round(time.Millisecond), because(b.summary(e)))
	case enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		fields := e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
		if outcome, ok := read[string](b, fields[workflows.Outcome.GetName()]); ok {
			b.add(e, "outcome", "", "%s", outcome)
		}
	default:
		if !b.said(e) && !b.child(e) {
			b.ended(e)
		}
	}
}

// summary is the line that the workflow wrote beside an event.
func (b *trailBuilder) summary(e *historypb.HistoryEvent) string {
	s, _ := read[string](b, e.GetUserMetadata().GetSummary())
	return s
}

// read reads one payload as far as this version knows it: histories are older than programs, and
// newer.
func read[T any](b *trailBuilder, p *commonpb.Payload) (v T, ok bool) {
	if p == nil {
		return v, false
	}
	if string(p.GetMetadata()[converter.MetadataEncoding]) == webhook.EncodingEncrypted {
		b.shut = true
		return v, false
	}
	err := converter.GetDefaultDataConverter().FromPayload(p, &v)
	return v, err == nil
}

func only(p *commonpb.Payloads) *commonpb.Payload {
	if all := p.GetPayloads(); len(all) > 0 {
		return all[0]
	}
	return nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

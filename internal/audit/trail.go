// Package audit tells people and auditors' tools who did what, when and why: from the histories of
// workflows, and from the change log of settings. It decides what of either a person wants to know,
// and what is known of an actor and what only claimed; who may ask is left to its callers.
package audit

import (
	"cmp"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Trail is one history for people and for auditors' tools: who, what, when, which answer, who
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
type Line = webhook.AuditLine

// NewTrail reads a history that has been opened as far as it can be. What a delivery was given of
// its event's history is told again.
func NewTrail(h *historypb.History) Trail { return newTrail(h.GetEvents(), trailBuilder{alone: true}) }

// newTrail reads a history in the way that b says.
func newTrail(events []*historypb.HistoryEvent, b trailBuilder) Trail {
	first, last := events[0], events[len(events)-1]
	started := first.GetWorkflowExecutionStartedEventAttributes()
	b.ours, b.scheduled = workerOf(events), map[int64]*historypb.HistoryEvent{}
	b.Trail = Trail{
		Type: started.GetWorkflowType().GetName(), WorkflowID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId(),
		Start: first.GetEventTime().AsTime(), Close: last.GetEventTime().AsTime(), Lines: []Line{},
	}
	for _, e := range events {
		before := len(b.Lines)
		b.shut, b.about = false, endpointIn(b.WorkflowID)
		b.event(e)
		for i := before; b.shut && i < len(b.Lines); i++ {
			b.Lines[i].Detail = "encrypted" // and not what it looks like without the key
		}
		b.Encrypted = b.Encrypted || b.shut
	}
	return b.Trail
}

// trailBuilder is a trail being written.
type trailBuilder struct {
	Trail

	alone  bool                                                       // and not beside that of its event
	proves func(id, workflowID, update, by string, at time.Time) bool // nil: no update's id proves anything
	ours   *commonpb.Principal                                        // Hookloop's own, where it is known
	named  bool                                                       // decisions that do not say whose they are change nothing
	// id of the endpoint that the event at hand is about
	about string
	shut  bool // something of the event at hand did not open
	// activities by the number of the event that asked for them
	scheduled map[int64]*historypb.HistoryEvent
}

// own adds a line about what Hookloop did by itself.
func (b *trailBuilder) own(e *historypb.HistoryEvent, l Line, detail string, args ...any) {
	l.Actor, l.Via = webhook.ByHookloop, webhook.ViaHookloop
	b.add(e, l, detail, args...)
}

// add adds a line. What it says of actors is as by or own say.
func (b *trailBuilder) add(e *historypb.HistoryEvent, l Line, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	if l.At.IsZero() {
		l.At = e.GetEventTime().AsTime()
	}
	l.EndpointID, l.EventID = cmp.Or(l.EndpointID, b.about), cmp.Or(l.EventID, eventIn(b.WorkflowID))
	l.Detail, l.WorkflowID, l.RunID = detail, b.WorkflowID, b.RunID
	b.Lines = append(b.Lines, l)
}

// event notes what a person may want to know; how Temporal went about it is left out.
func (b *trailBuilder) event(e *historypb.HistoryEvent) {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		b.started(e)
	case enums.EVENT_TYPE_MARKER_RECORDED:
		b.marked(e)
	case enums.EVENT_TYPE_TIMER_STARTED:
		wait := e.GetTimerStartedEventAttributes().GetStartToFireTimeout().AsDuration()
		why := b.summary(e)
		b.own(e, Line{Kind: webhook.AuditWait, WaitMS: wait.Milliseconds(), Reason: why}, "%s%s", wait.Round(time.Millisecond), because(why))
	case enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		fields := e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
		if outcome, ok := read[string](b, fields[workflows.Outcome.GetName()]); ok {
			b.own(e, Line{Kind: webhook.AuditStatus, Status: outcome}, "%s", outcome)
		}
	default:
		if !b.activity(e) && !b.said(e) && !b.child(e) {
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

// Package audit reads histories for people and for auditors' tools: who, what, when, which answer,
// who decided. It decides what of a history a person wants to know; who may ask is left to its
// callers.
package audit

import (
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Ledger is a history for people and for auditors' tools: who, what, when, which answer, who
// decided.
type Ledger struct {
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

	copied bool // from another ledger, for who reads this one alone
}

// NewLedger reads a history that has been opened as far as it can be.
func NewLedger(h *historypb.History) Ledger {
	b := &book{scheduled: map[int64]*historypb.HistoryEvent{}}
	events := h.GetEvents()
	first, last := events[0], events[len(events)-1]
	started := first.GetWorkflowExecutionStartedEventAttributes()
	b.Ledger = Ledger{
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
	return b.Ledger
}

// book is a ledger being written.
type book struct {
	Ledger
	about     string                            // id of the endpoint that the event at hand is about
	shut      bool                              // something of the event at hand did not open
	scheduled map[int64]*historypb.HistoryEvent // activities by the number of the event that asked for them
}

func (b *book) add(e *historypb.HistoryEvent, kind, actor, detail string, args ...any) {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	b.Lines = append(b.Lines, Line{At: e.GetEventTime().AsTime(), Kind: kind, Actor: actor, EndpointID: b.about, Detail: detail})
}

// event notes what a person may want to know; how Temporal went about it is left out.
func (b *book) event(e *historypb.HistoryEvent) {
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

// said notes what people, and Hookloop's own workflows, said to this one.
func (b *book) said(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		s := e.GetWorkflowExecutionSignaledEventAttributes()
		b.order(e, s.GetSignalName(), s.GetInput(), s.GetIdentity())
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		u := e.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest()
		b.order(e, u.GetInput().GetName(), u.GetInput().GetArgs(), u.GetMeta().GetIdentity())
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
		if f := e.GetWorkflowExecutionUpdateCompletedEventAttributes().GetOutcome().GetFailure(); f != nil {
			b.add(e, "refused", "", "%s", f.GetMessage())
		}
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
		c := e.GetWorkflowExecutionCancelRequestedEventAttributes()
		b.add(e, "cancel", c.GetIdentity(), "asked of Temporal%s", because(c.GetCause()))
	default:
		return false
	}
	return true
}

// order notes a signal or an update. Who gave it stands in it, for the gateway passes on what
// people say; else it is whoever spoke to Temporal.
func (b *book) order(e *historypb.HistoryEvent, name string, args *commonpb.Payloads, identity string) {
	var one *commonpb.Payload
	if all := args.GetPayloads(); len(all) > 0 {
		one = all[0]
	}
	switch name {
	case workflows.SignalFailing:
		f, _ := read[webhook.Failing](b, one)
		what := "it fails"
		if f.RefusesSince != nil {
			what = "it takes nothing and refuses one event after the other"
		}
		b.add(e, "failing", "", "%s: %s at %s", what, f.Answer, f.Answer.At.UTC().Format(time.RFC3339))
		return
	case workflows.SignalRecovered:
		by, _ := read[webhook.Answer](b, one)
		b.add(e, "recovered", "", "the endpoint took something: %s", by)
		return
	}
	d, _ := read[struct {
		webhook.Decision

		Kind webhook.EndKind `json:"kind"`
	}](b, one)
	detail := d.Reason
	if d.RatePerSecond != 0 {
		detail += fmt.Sprintf(" (%g a second)", d.RatePerSecond)
	}
	if d.Kind != "" {
		detail = string(d.Kind) + because(detail)
	}
	if d.By != "" {
		identity = d.By
	}
	b.add(e, name, identity, "%s", strings.TrimSpace(detail))
}

// child notes what became of a delivery with a workflow of its own.
func (b *book) child(e *historypb.HistoryEvent) bool {
	id, end := "", ""
	switch e.GetEventType() {
	case enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		id = e.GetStartChildWorkflowExecutionInitiatedEventAttributes().GetWorkflowId()
		b.about = endpointIn(id)
		b.add(e, "goes on", "", "%s", id)
		return true
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
		c := e.GetChildWorkflowExecutionCompletedEventAttributes()
		r, _ := read[workflows.DeliveryResult](b, only(c.GetResult()))
		id, end = c.GetWorkflowExecution().GetWorkflowId(), fmt.Sprintf("%s after %s%s", r.Status, plural(r.Attempts, "attempt"), because(r.Reason))
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
		c := e.GetChildWorkflowExecutionFailedEventAttributes()
		id, end = c.GetWorkflowExecution().GetWorkflowId(), "failed: "+c.GetFailure().GetMessage()
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
		id, end = e.GetChildWorkflowExecutionCanceledEventAttributes().GetWorkflowExecution().GetWorkflowId(), "cancelled"
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
		id, end = e.GetChildWorkflowExecutionTerminatedEventAttributes().GetWorkflowExecution().GetWorkflowId(), "terminated"
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
		id, end = e.GetChildWorkflowExecutionTimedOutEventAttributes().GetWorkflowExecution().GetWorkflowId(), "timed out"
	default:
		return false
	}
	b.about = endpointIn(id)
	b.add(e, "ended", "", "%s: %s", id, end)
	return true
}

// endpointIn is the endpoint that a workflow is about, by its id: a delivery's and an approval's
// end with it.
func endpointIn(workflowID string) string {
	last := workflowID[strings.LastIndexByte(workflowID, '/')+1:]
	if !strings.HasPrefix(last, webhook.EndpointPrefix) {
		return ""
	}
	return last
}

// summary is the line that the workflow wrote beside an event.
func (b *book) summary(e *historypb.HistoryEvent) string {
	s, _ := read[string](b, e.GetUserMetadata().GetSummary())
	return s
}

// read reads one payload as far as this version knows it: histories are older than programs, and
// newer.
func read[T any](b *book, p *commonpb.Payload) (v T, ok bool) {
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

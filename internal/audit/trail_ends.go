package audit

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// started notes what the workflow was about, and who wanted it.
func (b *trailBuilder) started(e *historypb.HistoryEvent) {
	a := e.GetWorkflowExecutionStartedEventAttributes()
	in := a.GetInput()
	switch b.Type {
	case workflows.TypeEvent:
		b.accepted(e, in, a.GetIdentity())
	case workflows.TypeDelivery:
		d, _ := read[workflows.DeliveryInput](b, only(in))
		switch v := d.Redelivery; {
		case d.Carried != nil:
			b.add(e, "continued", "", "%s to %s, %s so far", d.Event.ID, d.EndpointID, plural(len(d.Attempts), "attempt"))
		case v != nil:
			b.add(e, "redelivered", v.By, "%s to %s%s", d.Event.ID, d.EndpointID, because(v.Reason))
		default:
			b.add(e, "delivery", "", "%s to %s%s", d.Event.ID, d.EndpointID, because(d.Parked))
		}
		if d.Carried != nil {
			return
		}
		for _, t := range d.Attempts {
			b.turn(e, fmt.Sprintf("attempt %d → %s, in the event's history", t.Number, d.EndpointID), activities.TurnResult{Attempt: &t})
			b.Lines[len(b.Lines)-1].copied = true
		}
		if d.Deferral != nil {
			b.turn(e, "attempt 1", activities.TurnResult{Deferral: d.Deferral})
		}
	case workflows.TypeApproval:
		s, _ := read[workflows.ApprovalInput](b, only(in))
		b.add(e, "episode", "", "of endpoint %s", s.EndpointID)
	case workflows.TypeRecovery:
		r, _ := read[workflows.RecoveryInput](b, only(in))
		b.add(e, "recovery", r.Instruction.By, "of what %s missed from %s to %s, %g a second%s", r.Window.EndpointID,
			r.Window.Since.UTC().Format(time.RFC3339), r.Window.Until.UTC().Format(time.RFC3339), r.RatePerSecond, because(r.Instruction.Reason))
	}
}

// accepted notes where an event came from. Its data is in the file and not in the trail.
func (b *trailBuilder) accepted(e *historypb.HistoryEvent, in *commonpb.Payloads, identity string) {
	facts, _ := read[workflows.EventInput](b, only(in))
	size := 0
	if all := in.GetPayloads(); len(all) > 1 {
		if _, ok := read[any](b, all[1]); ok {
			size = len(all[1].GetData())
		}
	}
	if facts.Event.Stored > 0 { // the history holds a reference
		size = int(facts.Event.Stored)
	}
	actor := cmp.Or(facts.By, identity)
	if o := facts.Event.Origin; o != nil && o.Provider != "" {
		actor = o.Provider + ", source " + o.SourceID
	}
	to := "nobody"
	if len(facts.EndpointIDs) > 0 {
		to = strings.Join(facts.EndpointIDs, ", ")
	}
	b.add(e, "accepted", actor, "%s of type %s, happened %s, %d bytes of data, for %s",
		facts.Event.ID, facts.Event.Type, facts.Event.Timestamp.UTC().Format(time.RFC3339), size, to)
	if facts.Event.Origin.IsEcho() {
		b.add(e, "echo", "", "of %s: it goes to nobody", facts.Event.Origin.EchoOf)
	}
	if len(facts.Disabled) > 0 {
		b.add(e, "rejected", "", "to %s: disabled when it was accepted", strings.Join(facts.Disabled, ", "))
	}
	if len(facts.Withheld) > 0 {
		b.add(e, "withheld", "", "from %s, of the application it came from", strings.Join(facts.Withheld, ", "))
	}
}

// ended notes how the workflow ended, if this is its end.
func (b *trailBuilder) ended(e *historypb.HistoryEvent) {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		b.result(e, only(e.GetWorkflowExecutionCompletedEventAttributes().GetResult()))
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		b.add(e, "failed", "", "%s", e.GetWorkflowExecutionFailedEventAttributes().GetFailure().GetMessage())
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		b.add(e, "cancelled", "", "")
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		b.add(e, "timed out", "", "")
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		b.add(e, "continues", "", "as run %s", e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId())
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		t := e.GetWorkflowExecutionTerminatedEventAttributes()
		b.add(e, "terminated", t.GetIdentity(), "%s", t.GetReason())
	}
}

func (b *trailBuilder) result(e *historypb.HistoryEvent, p *commonpb.Payload) {
	switch b.Type {
	case workflows.TypeEvent:
		r, _ := read[workflows.EventReport](b, p)
		b.add(e, "ended", "", "%s", r.Status)
	case workflows.TypeDelivery:
		r, _ := read[workflows.DeliveryResult](b, p)
		b.add(e, "ended", "", "%s after %s%s", r.Status, plural(r.Attempts, "attempt"), because(r.Reason))
	case workflows.TypeApproval:
		r, _ := read[webhook.ApprovalReport](b, p)
		by := ""
		if r.Decision != nil {
			by = r.Decision.By
		}
		b.add(e, "ended", by, "%s%s", r.Status, because(r.Reason))
	case workflows.TypeRecovery:
		r, _ := read[workflows.RecoveryReport](b, p)
		b.add(e, "ended", "", "%d found, %d redelivered, %d left out", r.Found, r.Redelivered, r.Skipped)
	default:
		b.add(e, "ended", "", "")
	}
}

// child notes what became of a delivery with a workflow of its own.
func (b *trailBuilder) child(e *historypb.HistoryEvent) bool {
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

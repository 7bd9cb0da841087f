package audit

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// ended notes how the workflow ended, if this is its end.
func (b *trailBuilder) ended(e *historypb.HistoryEvent) {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		b.result(e, only(e.GetWorkflowExecutionCompletedEventAttributes().GetResult()))
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		why := e.GetWorkflowExecutionFailedEventAttributes().GetFailure().GetMessage()
		b.own(e, Line{Kind: webhook.AuditWorkflowFailed, Reason: why}, "%s", why)
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		b.own(e, Line{Kind: webhook.AuditWorkflowCancelled}, "")
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		b.own(e, Line{Kind: webhook.AuditWorkflowTimedOut}, "")
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		b.own(e, Line{Kind: webhook.AuditContinued}, "as run %s", e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId())
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		t := e.GetWorkflowExecutionTerminatedEventAttributes()
		l := b.by(e, "", t.GetIdentity())
		l.Kind, l.Reason = webhook.AuditWorkflowTerminated, t.GetReason()
		b.add(e, l, "%s", t.GetReason())
	default:
	}
}

func (b *trailBuilder) result(e *historypb.HistoryEvent, p *commonpb.Payload) {
	switch b.Type {
	case workflows.TypeEvent:
		r, _ := read[workflows.EventReport](b, p)
		b.own(e, Line{Kind: webhook.AuditEventEnded, Status: string(r.Status)}, "%s", r.Status)
	case workflows.TypeDelivery:
		r, _ := read[workflows.DeliveryResult](b, p)
		b.own(e, Line{Kind: webhook.AuditDeliveryEnded, Status: string(r.Status), Reason: r.Reason}, "%s", became(r))
	case workflows.TypeApproval:
		r, _ := read[webhook.ApprovalReport](b, p)
		b.own(e, Line{Kind: webhook.AuditEpisodeEnded, Status: string(r.Status), Reason: r.Reason}, "%s%s", r.Status, because(r.Reason))
	case workflows.TypeRecovery:
		r, _ := read[workflows.RecoveryReport](b, p)
		b.own(e, Line{Kind: webhook.AuditRecoveryEnded, Count: r.Redelivered}, "%d found, %d redelivered, %d left out", r.Found, r.Redelivered, r.Skipped)
	}
}

func became(r workflows.DeliveryResult) string {
	return fmt.Sprintf("%s after %s%s", r.Status, plural(r.Attempts, "attempt"), because(r.Reason))
}

// child notes what became of a delivery with a workflow of its own.
func (b *trailBuilder) child(e *historypb.HistoryEvent) bool {
	if e.GetEventType() == enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED {
		id := e.GetStartChildWorkflowExecutionInitiatedEventAttributes().GetWorkflowId()
		b.about = endpointIn(id)
		b.own(e, Line{Kind: webhook.AuditDeliveryStarted}, "%s", id)
		return true
	}
	l := Line{Kind: webhook.AuditDeliveryEnded}
	of, end := "", ""
	switch e.GetEventType() {
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
		c := e.GetChildWorkflowExecutionCompletedEventAttributes()
		r, _ := read[workflows.DeliveryResult](b, only(c.GetResult()))
		of, l.Status, l.Reason, end = c.GetWorkflowExecution().GetWorkflowId(), string(r.Status), r.Reason, became(r)
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
		c := e.GetChildWorkflowExecutionFailedEventAttributes()
		of, l.Reason = c.GetWorkflowExecution().GetWorkflowId(), c.GetFailure().GetMessage()
		end = "its workflow failed: " + l.Reason
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
		of, end = e.GetChildWorkflowExecutionCanceledEventAttributes().GetWorkflowExecution().GetWorkflowId(), "its workflow was cancelled"
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
		of, end = e.GetChildWorkflowExecutionTerminatedEventAttributes().GetWorkflowExecution().GetWorkflowId(), "its workflow was terminated"
	case enums.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
		of, end = e.GetChildWorkflowExecutionTimedOutEventAttributes().GetWorkflowExecution().GetWorkflowId(), "its workflow timed out"
	default:
		return false
	}
	b.about = endpointIn(of)
	b.own(e, l, "%s: %s", of, end)
	return true
}

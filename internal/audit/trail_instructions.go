package audit

import (
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// said notes what people, and Hookloop's own workflows, said to this one.
func (b *trailBuilder) said(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		s := e.GetWorkflowExecutionSignaledEventAttributes()
		b.instruction(e, message{webhook.AuditSignal, s.GetSignalName(), only(s.GetInput()), s.GetIdentity(), ""})
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		u := e.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest()
		b.instruction(e, message{
			webhook.AuditUpdate, u.GetInput().GetName(), only(u.GetInput().GetArgs()), u.GetMeta().GetIdentity(), u.GetMeta().GetUpdateId(),
		})
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
		if f := e.GetWorkflowExecutionUpdateCompletedEventAttributes().GetOutcome().GetFailure(); f != nil {
			b.own(e, Line{Kind: webhook.AuditRefused, Reason: f.GetMessage()}, "%s", f.GetMessage())
		}
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
		c := e.GetWorkflowExecutionCancelRequestedEventAttributes()
		l := b.by(e, "", c.GetIdentity())
		l.Kind, l.Reason = webhook.AuditCancelRequested, c.GetCause()
		b.add(e, l, "asked of Temporal%s", because(c.GetCause()))
	default:
		return false
	}
	return true
}

// message is a signal or an update.
type message struct {
	kind     webhook.AuditKind // of one that the workflow does not know
	name     string
	input    *commonpb.Payload
	identity string // what its sender's client calls itself
	updateID string // of an update
}

// actedOn says what kind of line a signal or an update is that a workflow of a type acts on. A name
// is wire format and no kind: another client may send any.
func actedOn(workflowType, name string) (webhook.AuditKind, bool) {
	kind, ok := map[string]webhook.AuditKind{
		workflows.TypeDelivery + " " + workflows.SignalRetryNow:  webhook.AuditRetryNow,
		workflows.TypeDelivery + " " + workflows.SignalCancel:    webhook.AuditCancel,
		workflows.TypeDelivery + " " + workflows.SignalRecheck:   webhook.AuditRecheck,
		workflows.TypeDelivery + " " + workflows.UpdateProbe:     webhook.AuditProbe,
		workflows.TypeDelivery + " " + workflows.UpdateRelease:   webhook.AuditRelease,
		workflows.TypeApproval + " " + workflows.SignalApprove:   webhook.AuditApprove,
		workflows.TypeApproval + " " + workflows.SignalReject:    webhook.AuditReject,
		workflows.TypeApproval + " " + workflows.SignalResume:    webhook.AuditResume,
		workflows.TypeApproval + " " + workflows.SignalEnd:       webhook.AuditPause,
		workflows.TypeApproval + " " + workflows.SignalFailing:   webhook.AuditFailing,
		workflows.TypeApproval + " " + workflows.SignalRecovered: webhook.AuditRecovered,
	}[workflowType+" "+name]
	return kind, ok
}

// instruction notes a signal or an update.
func (b *trailBuilder) instruction(e *historypb.HistoryEvent, m message) {
	kind, ok := actedOn(b.Type, m.name)
	switch {
	case !ok:
		i, _ := read[webhook.Instruction](b, m.input)
		l := b.sender(e, m, i.By)
		l.Kind, l.Name = m.kind, m.name
		b.add(e, l, "%q, which this workflow does not know", m.name)
	case kind == webhook.AuditFailing:
		b.failing(e, m)
	case kind == webhook.AuditRecovered:
		by, _ := read[webhook.Answer](b, m.input)
		l := b.by(e, "", m.identity)
		l.Kind, l.EventID, l.StatusCode = kind, by.EventID, by.StatusCode
		b.add(e, l, "the endpoint took something: %s", by)
	default:
		b.decision(e, kind, m)
	}
}

func (b *trailBuilder) failing(e *historypb.HistoryEvent, m message) {
	f, _ := read[webhook.Failing](b, m.input)
	what := "it fails"
	if f.RefusesSince != nil {
		what = "it takes nothing and refuses one event after the other"
	}
	l := b.by(e, "", m.identity)
	l.Kind, l.EventID, l.StatusCode, l.Failure = webhook.AuditFailing, f.Answer.EventID, f.Answer.StatusCode, f.Answer.Failure
	b.add(e, l, "%s: %s at %s", what, f.Answer, rfc3339(f.Answer.At))
}

// decision notes what a person asked for, or Hookloop on a person's behalf.
func (b *trailBuilder) decision(e *historypb.HistoryEvent, kind webhook.AuditKind, m message) {
	d, _ := read[struct {
		webhook.Decision

		Kind webhook.EndKind `json:"kind"`
	}](b, m.input)
	l := b.sender(e, m, d.By)
	l.Kind, l.Reason, l.RatePerSecond = kind, d.Reason, d.RatePerSecond
	if d.Kind == webhook.EndDeleted {
		l.Kind = webhook.AuditDelete
	}
	if b.named && d.By == "" && (kind == webhook.AuditApprove || kind == webhook.AuditReject || kind == webhook.AuditResume) {
		l.Kind, l.Name = webhook.AuditRefused, m.name
		b.add(e, l, "%s, which changed nothing: it does not say whose it is", m.name)
		return
	}
	detail := d.Reason
	if d.RatePerSecond != 0 {
		detail += fmt.Sprintf(" (%g a second)", d.RatePerSecond)
	}
	switch {
	case detail != "":
	case kind == webhook.AuditRelease:
		detail = "this delivery was let go"
	case kind == webhook.AuditProbe:
		detail = "this delivery is the one that is tried"
	}
	b.add(e, l, "%s", strings.TrimSpace(detail))
}

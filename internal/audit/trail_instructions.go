package audit

import (
	"fmt"
	"strings"
	"time"

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
func (b *trailBuilder) order(e *historypb.HistoryEvent, name string, args *commonpb.Payloads, identity string) {
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

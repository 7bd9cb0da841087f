package workflows

import (
	"encoding/json"

	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// SummaryAnnounce begins the summary of a local activity that announces an event of our own. It is
// no attempt.
const SummaryAnnounce = "announce "

// MetricEnded counts deliveries that have ended, by MetricEndedStatus. A workflow task that fails
// counts them again when it is repeated.
const (
	MetricEnded       = "hookloop_deliveries_ended"
	MetricEndedStatus = "status"
)

// countEnd counts a delivery that has ended; a replay does not.
func countEnd(ctx workflow.Context, s webhook.DeliveryStatus) {
	workflow.GetMetricsHandler(ctx).WithTags(map[string]string{MetricEndedStatus: string(s)}).Counter(MetricEnded).Inc(1)
}

func (d *delivery) finish(ctx workflow.Context) (DeliveryResult, error) {
	d.inbox, d.probing = deliveryInbox{}, false // updates that wait for a turn are answered
	d.show(ctx)
	d.announceExhausted(ctx)
	countEnd(ctx, d.report.Status)
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	r := DeliveryResult{Status: d.report.Status, Reason: d.report.Reason, Attempts: d.made()}
	return r, ctx.Err()
}

// announceExhausted tells the endpoints that name delivery.exhausted that the schedule is spent. Of
// an event of our own nothing is announced: it would never end. Most tenants have no such endpoint,
// so a local activity comes first, which costs one read of the registry.
func (d *delivery) announceExhausted(ctx workflow.Context) {
	if d.report.Status != webhook.Exhausted || d.in.Event.Operational {
		return
	}
	data, err := json.Marshal(d.notice())
	if err != nil {
		workflow.GetLogger(ctx).Error("not announced", "type", webhook.EventDeliveryExhausted, "error", err)
		return
	}
	a := activities.Announcement{
		EndpointRef: activities.EndpointRef{Tenant: d.in.Event.Tenant, EndpointID: d.in.EndpointID},
		Type:        webhook.EventDeliveryExhausted, At: workflow.Now(ctx).UTC(), Data: data, Many: true,
		Key: workflow.GetInfo(ctx).FirstRunID + " " + webhook.EventDeliveryExhausted, // with a space: never an app's
	}
	local := workflow.WithLocalActivityOptions(ctx, localAnnounceOptions(SummaryAnnounce+webhook.EventDeliveryExhausted))
	if workflow.ExecuteLocalActivity(local, approvalActivities.Announce, a).Get(ctx, nil) == nil {
		return
	}
	later := workflow.WithActivityOptions(ctx, lateAnnounceOptions(a.Tenant, webhook.EventDeliveryExhausted))
	_ = workflow.ExecuteActivity(later, approvalActivities.Announce, a).Get(ctx, nil) // cancelled is all it can be
}

func (d *delivery) notice() webhook.DeliveryNotice {
	n := webhook.DeliveryNotice{
		EventID: d.in.Event.ID, EventType: d.in.Event.Type, EndpointID: d.in.EndpointID,
		Attempts: d.made(), WorkflowID: d.report.WorkflowID,
	}
	if at := d.in.AcceptedAt.UTC(); !at.IsZero() {
		n.AcceptedAt = &at
	}
	if made := len(d.report.Attempts); made > 0 {
		last := webhook.AnswerOf(d.report.Attempts[made-1], "")
		n.LastAnswer = &last
	}
	return n
}

package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// EventExhausted is the type of the event that tells a tenant of a delivery whose schedule is spent.
const EventExhausted = "delivery.exhausted"

// SummaryTold begins the summary of a local activity that tells of something: it is no attempt.
const SummaryTold = "tell who subscribes to "

// MetricEnded counts deliveries that have ended, by MetricEndedStatus. A workflow task that fails counts them again when
// it is repeated.
const (
	MetricEnded       = "hookloop_deliveries_ended"
	MetricEndedStatus = "status"
)

// countEnd counts a delivery that has ended; a replay does not.
func countEnd(ctx workflow.Context, s webhook.DeliveryStatus) {
	workflow.GetMetricsHandler(ctx).WithTags(map[string]string{MetricEndedStatus: string(s)}).Counter(MetricEnded).Inc(1)
}

// exhausted is the data of an EventExhausted.
type exhausted struct {
	EventID    string          `json:"event_id"`
	EventType  string          `json:"event_type"`
	EndpointID string          `json:"endpoint_id"`
	AcceptedAt *time.Time      `json:"accepted_at,omitempty"`
	Attempts   int             `json:"attempts"`
	LastAnswer *webhook.Answer `json:"last_answer,omitempty"`
	WorkflowID string          `json:"workflow_id"`
}

// tellExhausted tells the endpoints that want to hear of it that the schedule is spent. Of what Hookloop itself says
// nothing is said in turn: it would never end. Most tenants have no such endpoint, so it is a local activity first: one
// look at the registry.
func (d *delivery) tellExhausted(ctx workflow.Context) {
	if d.report.Status != webhook.Exhausted || d.in.Event.Operational {
		return
	}
	data, err := json.Marshal(d.exhausted())
	if err != nil {
		workflow.GetLogger(ctx).Error("not told", "type", EventExhausted, "error", err)
		return
	}
	a := activities.Announcement{
		Subject: activities.Subject{Tenant: d.in.Event.Tenant, EndpointID: d.in.EndpointID},
		Type:    EventExhausted, At: workflow.Now(ctx).UTC(), Data: data, Many: true,
		Key: workflow.GetInfo(ctx).FirstRunID + " " + EventExhausted, // with a space: never an app's
	}
	if workflow.ExecuteLocalActivity(atOnce(ctx, SummaryTold+EventExhausted), keeper.Announce, a).Get(ctx, nil) != nil {
		_ = workflow.ExecuteActivity(unhurried(ctx, a.Tenant, EventExhausted), keeper.Announce, a).Get(ctx, nil) // cancelled is all it can be
	}
}

func (d *delivery) exhausted() exhausted {
	e := exhausted{
		EventID: d.in.Event.ID, EventType: d.in.Event.Type, EndpointID: d.in.EndpointID,
		Attempts: len(d.report.Attempts), WorkflowID: d.report.WorkflowID,
	}
	if at := d.in.AcceptedAt.UTC(); !at.IsZero() {
		e.AcceptedAt = &at
	}
	if n := len(d.report.Attempts); n > 0 {
		last := webhook.AnswerOf(d.report.Attempts[n-1], "")
		e.LastAnswer = &last
	}
	return e
}

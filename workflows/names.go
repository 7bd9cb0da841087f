package workflows

import "go.temporal.io/sdk/temporal"

// Everything in this file is wire format: running workflows, saved queries of operators and
// histories refer to it by string. TestWireNames pins it.

// TaskQueue is where workers find workflow tasks and retries.
const TaskQueue = "hookloop"

// QueryReport asks an Event for its EventReport, a Delivery for its webhook.DeliveryReport, or a
// Recovery for its RecoveryReport.
const QueryReport = "report"

// What an operator can say to a Delivery: as a signal from the Temporal UI, as an update from the
// API and the CLI. Both take a webhook.Verb, which may be left out.
const (
	SignalRetryNow = "retry-now"
	UpdateRetryNow = "retry-now"
	SignalCancel   = "cancel"
	UpdateCancel   = "cancel"
)

// The search attributes, all keywords. Outcome holds a webhook.EventStatus on an Event and a
// webhook.DeliveryStatus on a Delivery; Endpoint is set on a Delivery only.
var (
	Tenant    = temporal.NewSearchAttributeKeyKeyword("Tenant")
	EventType = temporal.NewSearchAttributeKeyKeyword("EventType")
	Endpoint  = temporal.NewSearchAttributeKeyKeyword("Endpoint")
	Outcome   = temporal.NewSearchAttributeKeyKeyword("Outcome")
)

// SearchAttributes lists their names, in the order in which the embedded engine gives them columns:
// append only.
func SearchAttributes() []string {
	return []string{Tenant.GetName(), EventType.GetName(), Endpoint.GetName(), Outcome.GetName()}
}

// EventWorkflowID names the one workflow of an event.
func EventWorkflowID(tenant, eventID string) string {
	return "event/" + tenant + "/" + eventID
}

// DeliveryWorkflowID names the one workflow of a troubled delivery.
func DeliveryWorkflowID(tenant, eventID, endpointID string) string {
	return "delivery/" + tenant + "/" + eventID + "/" + endpointID
}

// RecoveryWorkflowID names the one recovery of an endpoint that may run at a time.
func RecoveryWorkflowID(tenant, endpointID string) string {
	return "recovery/" + tenant + "/" + endpointID
}

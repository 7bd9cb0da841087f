package workflows

import "go.temporal.io/sdk/temporal"

// Everything in this file is wire format: running workflows, saved queries of operators and
// histories refer to it by string. TestWireNames pins it.

// TaskQueue is where workers find workflow tasks and retries.
const TaskQueue = "hookloop"

// The types of the workflows: the names of their functions.
const (
	TypeEvent    = "Event"
	TypeDelivery = "Delivery"
	TypeApproval = "Approval"
	TypeRecovery = "Recovery"
)

// QueryReport asks an Event for its EventReport, a Delivery for its webhook.DeliveryReport, a
// Recovery for its RecoveryReport, or an Approval for its webhook.ApprovalReport.
const QueryReport = "report"

// What an operator can ask of a Delivery: as a signal from the Temporal UI, as an update from the
// API and the CLI. Both take a webhook.Instruction, which may be left out.
const (
	SignalRetryNow = "retry-now"
	UpdateRetryNow = "retry-now"
	SignalCancel   = "cancel"
	UpdateCancel   = "cancel"
)

// What an Approval asks of deliveries. Every delivery takes the signal, only one that is held takes
// the updates.
const (
	SignalRecheck = "recheck" // read the endpoint now

	UpdateProbe   = "probe"   // answers a webhook.Probe, once the attempt is made
	UpdateRelease = "release" // answers at once
)

// The types of the errors of updates that are refused.
const (
	TypeNotHeld = "NotHeld" // by a delivery that is not held
	TypeRefused = "Refused" // by an approval that has nothing to decide
)

// What an operator can ask of an Approval: as a signal from the Temporal UI, as an update from the
// API and the CLI. Both take a webhook.Decision, which may be left out.
const (
	SignalApprove = "approve"
	UpdateApprove = "approve"
	SignalReject  = "reject"
	UpdateReject  = "reject"
)

// What Hookloop itself reports to an Approval, and starts one with.
const (
	SignalFailing   = "failing"   // a webhook.Failing: the endpoint keeps failing, or wants no more
	SignalRecovered = "recovered" // a webhook.Answer: the endpoint took something
	SignalResume    = "resume"    // a webhook.Decision: release without being asked
	SignalEnd       = "end"       // a webhook.End
)

// The search attributes, all keywords. Outcome holds a webhook.EventStatus on an Event, a
// webhook.DeliveryStatus on a Delivery and a webhook.ApprovalStatus on an Approval; a parked
// Delivery has webhook.ApprovalAwaiting, too. Endpoint is the id of one, and on an Event what
// EndpointOf says. Accepted is on a Delivery when its event was accepted, in the AcceptedFormat:
// lists go by it, oldest first.
var (
	Tenant    = temporal.NewSearchAttributeKeyKeyword("Tenant")
	EventType = temporal.NewSearchAttributeKeyKeyword("EventType")
	Endpoint  = temporal.NewSearchAttributeKeyKeyword("Endpoint")
	Outcome   = temporal.NewSearchAttributeKeyKeyword("Outcome")
	Accepted  = temporal.NewSearchAttributeKeyKeyword("Accepted")
)

// AcceptedFormat is UTC and sorts as text.
const AcceptedFormat = "2006-01-02T15:04:05.000000Z"

// AttemptActivity is the activity that a Delivery whose turn was deferred waits in.
const AttemptActivity = "Attempt"

// SearchAttributes lists their names, in the order in which the embedded engine gives them columns:
// append only.
func SearchAttributes() []string {
	return []string{Tenant.GetName(), EventType.GetName(), Endpoint.GetName(), Outcome.GetName(), Accepted.GetName()}
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

// ApprovalWorkflowID names the one episode of an endpoint that may be open at a time.
func ApprovalWorkflowID(tenant, endpointID string) string {
	return "approval/" + tenant + "/" + endpointID
}

// What Endpoint holds on an Event: by it lists find what an endpoint missed, and leave out events
// of Hookloop's own.
const (
	EndpointDisabled    = "disabled"    // with a space and the id of the one endpoint that was disabled at acceptance
	EndpointsSeveral    = "several"     // in place of that id
	EndpointOperational = "operational" // Hookloop itself made the event
)

// EndpointOf is the search attribute Endpoint of an event; most have none.
func EndpointOf(in EventInput) string {
	switch {
	case in.Event.Operational:
		return EndpointOperational
	case len(in.Disabled) == 0:
		return ""
	case len(in.Disabled) == 1:
		return EndpointDisabled + " " + in.Disabled[0]
	}
	return EndpointDisabled + " " + EndpointsSeveral
}

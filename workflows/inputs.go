package workflows

import (
	"fmt"

	"hookloop/internal/webhook"
)

// EventInput starts an Event; its data is the second argument, a payload of its own, so that it
// stays byte for byte what the app sent. Fields are added, never renamed or re-typed.
type EventInput struct {
	Event       webhook.Event `json:"event"`
	EndpointIDs []string      `json:"endpoint_ids"` // those that matched when the event was accepted
}

// EventReport tells what became of an event: the answer to QueryReport and, at the end, the result.
// Attempts of a delivery with a workflow of its own stand in that workflow's report, not here, so
// the size of this one is bounded by the fast lane.
type EventReport struct {
	Status     webhook.EventStatus      `json:"status"`
	Deliveries []webhook.DeliveryReport `json:"deliveries"`
}

// EventSummary is the line that names an event in the Temporal UI.
func EventSummary(eventType string, endpoints int) string {
	switch endpoints {
	case 0:
		return eventType + " → no endpoint"
	case 1:
		return eventType + " → 1 endpoint"
	}
	return fmt.Sprintf("%s → %d endpoints", eventType, endpoints)
}

// DeliveryInput starts a Delivery: ids and what the fast lane already tried, never the data.
// Fields are added, never renamed or re-typed.
type DeliveryInput struct {
	Event      webhook.Event     `json:"event"`
	EventRunID string            `json:"event_run_id"` // the run whose history holds the data
	EndpointID string            `json:"endpoint_id"`
	Schedule   webhook.Schedule  `json:"schedule,omitempty"` // as it was at the first turn; empty: not known yet
	Attempts   []webhook.Attempt `json:"attempts,omitempty"`
	Deferral   *webhook.Deferral `json:"deferral,omitempty"` // why the fast lane made no attempt
}

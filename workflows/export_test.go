package workflows

import "hookloop/internal/webhook"

// EventDetails are the current details of an event that has failed.
func EventDetails(in EventInput, all ...webhook.DeliveryReport) string {
	e := event{in: in, report: EventReport{Status: webhook.EventFailed, Deliveries: all}}
	return e.details()
}

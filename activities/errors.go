package activities

import "go.temporal.io/sdk/temporal"

// The types of errors no retry can mend. They stand in histories: never rename one.
const (
	TypeEndpointGone = "EndpointGone" // deleted since the event was accepted
	TypeEventGone    = "EventGone"    // its history was deleted, and the data with it
)

func endpointGone(cause error) error {
	return temporal.NewNonRetryableApplicationError("the endpoint was deleted", TypeEndpointGone, cause)
}

func eventGone(cause error) error {
	return temporal.NewNonRetryableApplicationError("the event's history was deleted, and its data with it", TypeEventGone, cause)
}

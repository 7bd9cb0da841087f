package api

import (
	"encoding/json"
	"time"

	"hookloop/internal/webhook"
)

// Envelope is the body of every delivery, unless the endpoint has a request shape of its own.
type Envelope struct {
	Type      string          `json:"type" example:"contact.updated"`
	Timestamp time.Time       `json:"timestamp" doc:"When it happened."`
	Data      json.RawMessage `json:"data" doc:"Byte for byte what the app posted, or one item of what a third party sent."`
	Context   json.RawMessage `json:"context,omitempty" doc:"What a third party said of several items at once."`
}

// The types of the events that Hookloop itself makes. They go to endpoints that name them.
const (
	EventEndpointHeld      = webhook.EventEndpointHeld
	EventEndpointReminder  = webhook.EventEndpointReminder
	EventEndpointReleased  = webhook.EventEndpointReleased
	EventEndpointRecovered = webhook.EventEndpointRecovered // all that was held has gone out
	EventEndpointRejected  = webhook.EventEndpointRejected
	EventDeliveryExhausted = webhook.EventDeliveryExhausted
)

// What these events hold.
type (
	// EndpointNotice is the data of the endpoint.* events.
	EndpointNotice = webhook.EndpointNotice
	// DeliveryNotice is the data of the event delivery.exhausted.
	DeliveryNotice = webhook.DeliveryNotice
)

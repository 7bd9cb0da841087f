package api

import (
	"time"

	"hookloop/internal/webhook"
)

// Class is what an attempt says of its endpoint.
type Class = webhook.Class

// The classes of attempts.
const (
	Took    = webhook.Took    // answered 2xx
	Fails   = webhook.Fails   // the endpoint is in trouble
	Refuses = webhook.Refuses // the event may be at fault
)

// EndpointName is what people know an endpoint by.
type EndpointName struct {
	Host        string        `json:"host" doc:"Of its URL." example:"example.com"`
	Description string        `json:"description,omitempty"`
	State       EndpointState `json:"state" enum:"active,held,paused,disabled"`
}

// AttemptQuery says which attempts at an endpoint are wanted.
type AttemptQuery struct {
	Failed bool   `query:"failed" doc:"true: only attempts that the endpoint did not take."`
	After  string `query:"after" doc:"Began at this time or later: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Before string `query:"before" doc:"Began before this time, likewise." example:"2026-01-31T12:00:00Z"`
	PageQuery
}

// AttemptItem is an attempt in a list; the event tells more of it.
type AttemptItem struct {
	EventID    string    `json:"event_id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	EventType  string    `json:"event_type" example:"contact.updated"`
	Number     int       `json:"number" doc:"From 1. A redelivery counts anew." example:"1"`
	At         time.Time `json:"at"`
	Outcome    Class     `json:"outcome" enum:"took,fails,refuses" doc:"The endpoint took the event, it fails, or it refuses this event."`
	StatusCode int       `json:"status_code,omitempty" doc:"Absent: there was no answer." example:"200"`
	DurationMS int64     `json:"duration_ms" example:"84"`
	Failure    string    `json:"failure,omitempty" doc:"Why there was no answer." example:"timeout"`
	Error      string    `json:"error,omitempty" doc:"The same for people."`
}

// UndeliveredQuery says which deliveries that go on are wanted.
type UndeliveredQuery struct {
	Endpoint   string         `query:"endpoint" pattern:"^ep_[0-9a-z]{26}$" doc:"Only those to this endpoint." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	EndpointID string         `query:"endpoint_id" pattern:"^ep_[0-9a-z]{26}$" doc:"The same as endpoint."`
	Status     DeliveryStatus `query:"status" enum:"pending,retrying,held"`
	Limit      int            `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many entries a page has at most. Each is asked of its workflow."`
	CursorQuery
}

// Undelivered is a delivery that goes on, and why it waits.
type Undelivered struct {
	EventID       string         `json:"event_id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	EventType     string         `json:"event_type" example:"contact.updated"`
	EndpointID    string         `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Endpoint      *EndpointName  `json:"endpoint,omitempty" doc:"Absent: the endpoint was deleted."`
	Status        DeliveryStatus `json:"status" enum:"pending,retrying,held"`
	Reason        string         `json:"reason,omitempty" doc:"Why it waits."`
	AcceptedAt    time.Time      `json:"accepted_at" doc:"The event."`
	NextAttemptAt *time.Time     `json:"next_attempt_at,omitempty" doc:"Absent: it waits for a person, or its attempt is under way."`
	Attempts      int            `json:"attempts" doc:"How many were made."`
	LastAttempt   *Attempt       `json:"last_attempt,omitempty"`
	WorkflowID    string         `json:"workflow_id"`
}

package api

import (
	"encoding/json"
	"time"
)

// NewEvent is what an app posts.
type NewEvent struct {
	Type      string          `json:"type" maxLength:"128" pattern:"^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$" doc:"Upper and lower case are different types." example:"contact.updated"`
	Data      json.RawMessage `json:"data" doc:"Any JSON value. It is kept and sent byte for byte." example:"{\"id\":4711,\"email\":\"jane@example.com\"}"`
	Timestamp time.Time       `json:"timestamp,omitzero" doc:"When it happened. Absent: now." example:"2026-01-31T12:00:00Z"`
	Subject   string          `json:"subject,omitempty" maxLength:"512" doc:"Whom it concerns, in words of the app's own: all of a subject's events can be found to be erased, or to be kept. Only a keyed hash of it is stored, and no endpoint gets it." example:"customer-4711"`
}

// AcceptedEvent is what an app learns of an event at once.
type AcceptedEvent struct {
	ID         string             `json:"id" doc:"The webhook-id of every delivery." example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Type       string             `json:"type" example:"contact.updated"`
	Timestamp  time.Time          `json:"timestamp"`
	Duplicate  bool               `json:"duplicate" doc:"An event with this Idempotency-Key had been accepted before; this is that one."`
	Deliveries []AcceptedDelivery `json:"deliveries"`
	WorkflowID string             `json:"workflow_id" doc:"Find the event by it in the Temporal UI." example:"event/acme/evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
}

// AcceptedDelivery is one of the deliveries an event was accepted with.
type AcceptedDelivery struct {
	EndpointID string `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

// Event is what became of an event.
type Event struct {
	ID         string      `json:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Type       string      `json:"type" example:"contact.updated"`
	Timestamp  time.Time   `json:"timestamp"`
	Status     EventStatus `json:"status" enum:"delivering,delivered,failed,unmatched"`
	Reason     string      `json:"reason,omitempty" doc:"Why its workflow ended early, if it did."`
	Hops       int         `json:"hops,omitempty" doc:"How often it had passed through Hookloop before."`
	Origin     *Origin     `json:"origin,omitempty" doc:"The source it came from, if no app posted it. With echo_of it says what that event's delivery had brought, and goes to no endpoint. With repeats it brings that event's content once more to an application that an older delivery reached after it."`
	Withheld   []string    `json:"withheld,omitempty" doc:"Endpoints that want its type but belong to the application it came from."`
	Deliveries []Delivery  `json:"deliveries"`
	WorkflowID string      `json:"workflow_id"`
	RunID      string      `json:"run_id"`
}

// Delivery is what became of an event at one endpoint.
type Delivery struct {
	EndpointID    string         `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Endpoint      *EndpointName  `json:"endpoint,omitempty" doc:"Absent: the endpoint was deleted."`
	Status        DeliveryStatus `json:"status" enum:"pending,retrying,held,delivered,exhausted,rejected,cancelled"`
	Reason        string         `json:"reason,omitempty" doc:"Why it waits or how it ended."`
	Attempts      []Attempt      `json:"attempts"`
	NextAttemptAt *time.Time     `json:"next_attempt_at,omitempty"`
	Schedule      []Duration     `json:"schedule,omitempty" doc:"The wait before each attempt, of a delivery that has a workflow of its own and goes on." example:"[\"0s\",\"5s\",\"5m\"]"`
	WorkflowID    string         `json:"workflow_id,omitempty" doc:"Set once the delivery has a workflow of its own."`
}

// EventQuery says which events are wanted.
type EventQuery struct {
	Endpoint   string      `query:"endpoint" pattern:"^ep_[0-9a-z]{26}$" doc:"Only those that had a turn at this endpoint, the latest first." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	EndpointID string      `query:"endpoint_id" pattern:"^ep_[0-9a-z]{26}$" doc:"The same as endpoint."`
	Type       string      `query:"type" doc:"The event type, whole." example:"contact.updated"`
	Status     EventStatus `query:"status" enum:"delivering,delivered,failed,unmatched"`
	After      string      `query:"after" doc:"Accepted after this time: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Before     string      `query:"before" doc:"Accepted before this time, likewise." example:"2026-01-31T12:00:00Z"`
	PageQuery
}

// EventItem is a line in a list of events; the event itself tells more.
type EventItem struct {
	ID         string      `json:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Type       string      `json:"type" example:"contact.updated"`
	Status     EventStatus `json:"status" enum:"delivering,delivered,failed,unmatched"`
	AcceptedAt time.Time   `json:"accepted_at"`
	WorkflowID string      `json:"workflow_id"`
	RunID      string      `json:"run_id"`
}

// Instruction goes with what an operator asks for.
type Instruction struct {
	Reason string `json:"reason,omitempty" maxLength:"1024" doc:"For those who read the history." example:"the customer has mended their firewall"`
}

// Redelivery asks for an event to be delivered again.
type Redelivery struct {
	EndpointID string `json:"endpoint_id,omitempty" pattern:"^ep_[0-9a-z]{26}$" patternDescription:"an endpoint's id like \"ep_01jzc8k0a2n4p6r8s0t2v4w6x8\"" doc:"Absent: every delivery that ended undelivered." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

// Redelivered lists the deliveries that were started again.
type Redelivered struct {
	Deliveries []RedeliveredDelivery `json:"deliveries"`
}

// RedeliveredDelivery is a delivery that was started again.
type RedeliveredDelivery struct {
	EndpointID string `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	WorkflowID string `json:"workflow_id"`
}

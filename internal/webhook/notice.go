package webhook

import "time"

// The types of the events that Hookloop itself makes. They go to endpoints that name them.
const (
	EventEndpointHeld      = "endpoint.held"
	EventEndpointReminder  = "endpoint.reminder"
	EventEndpointReleased  = "endpoint.released"
	EventEndpointRecovered = "endpoint.recovered" // all that was held has gone out
	EventEndpointRejected  = "endpoint.rejected"
	EventDeliveryExhausted = "delivery.exhausted"
)

// EndpointNotice is the data of the endpoint.* events.
type EndpointNotice struct {
	EndpointID   string        `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	State        EndpointState `json:"state" enum:"active,held,paused,disabled"`
	Reason       string        `json:"reason" doc:"For a person."`
	FailingSince *time.Time    `json:"failing_since,omitempty"`
	DecideBy     *time.Time    `json:"decide_by,omitempty" doc:"While people are asked: without a decision the endpoint is rejected then."`
	Waiting      *int          `json:"waiting,omitempty" doc:"Deliveries under way to the endpoint when they were last counted."`
	LastAnswers  []Answer      `json:"last_answers,omitempty" doc:"The endpoint's, without their bodies, the latest last."`
	WorkflowID   string        `json:"workflow_id" doc:"The approval, in the Temporal UI."`
	ConsoleURL   string        `json:"console_url,omitempty" doc:"The endpoint's page in the console, where it is decided. Absent: the operator has not said where the console is." example:"https://hooks.example.com/console/t/acme/endpoints/ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

// DeliveryNotice is the data of the event delivery.exhausted.
type DeliveryNotice struct {
	EventID    string     `json:"event_id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	EventType  string     `json:"event_type" example:"contact.updated"`
	EndpointID string     `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	AcceptedAt *time.Time `json:"accepted_at,omitempty"`
	Attempts   int        `json:"attempts" example:"10"`
	LastAnswer *Answer    `json:"last_answer,omitempty" doc:"The endpoint's last answer, without its body."`
	WorkflowID string     `json:"workflow_id"`
	ConsoleURL string     `json:"console_url,omitempty" doc:"The event's page in the console. Absent: the operator has not said where the console is." example:"https://hooks.example.com/console/t/acme/events/evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
}

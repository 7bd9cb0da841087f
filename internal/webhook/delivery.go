package webhook

import "time"

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	Event    Event
	Content  Content
	Endpoint Endpoint
	ReadAt   time.Time // when the endpoint was read, or a moment before; zero: just now
	First    bool      // made in the fast lane
	// Probe says that a person asked for the attempt: an open breaker does not refuse it, and its
	// success closes the breaker.
	Probe bool
}

// DeliveryStatus is where a delivery stands. The value is the API's and the metric's.
type DeliveryStatus string

// The states of a delivery. Pending, retrying and held go on; the others are its end.
const (
	Pending   DeliveryStatus = "pending"   // no attempt yet
	Retrying  DeliveryStatus = "retrying"  // waits for its next attempt
	Held      DeliveryStatus = "held"      // waits for a person
	Delivered DeliveryStatus = "delivered" // answered 2xx
	Exhausted DeliveryStatus = "exhausted" // the schedule is spent
	Rejected  DeliveryStatus = "rejected"  // a person, or the endpoint, refused it
	Cancelled DeliveryStatus = "cancelled" // stopped, or the endpoint was deleted
)

// Ended says whether nothing more will happen.
func (s DeliveryStatus) Ended() bool {
	switch s {
	case Delivered, Exhausted, Rejected, Cancelled:
		return true
	case Pending, Retrying, Held:
	}
	return false
}

// DeliveryReport tells what became of a delivery. It is a workflow result and stands in the API:
// fields are added, never renamed.
type DeliveryReport struct {
	EndpointID    string         `json:"endpoint_id"`
	Status        DeliveryStatus `json:"status"`
	Reason        string         `json:"reason,omitempty"` // why it waits or ended, for a person
	Attempts      []Attempt      `json:"attempts,omitempty"`
	NextAttemptAt *time.Time     `json:"next_attempt_at,omitempty"`
	Schedule      Schedule       `json:"schedule,omitempty"` // while it goes on, as far as it is known
	// WorkflowID is set once the delivery has a workflow of its own.
	WorkflowID string `json:"workflow_id,omitempty"`
}

// Match are the endpoints that want an event when it is accepted, each list in the order of their
// ids.
type Match struct {
	IDs      []string // it goes to them, now or once they are let go
	Disabled []string // nothing goes to them
}

// Add takes in the next endpoint.
func (m *Match) Add(id string, disabled bool) {
	if disabled {
		m.Disabled = append(m.Disabled, id)
	} else {
		m.IDs = append(m.IDs, id)
	}
}

// Instruction says who asked for an action, and why. Either may be empty.
type Instruction struct {
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Window names what began in [Since, Until) and did not reach one endpoint: the deliveries to it
// that ended undelivered, and events accepted while it was disabled; or the events that no endpoint
// wanted.
type Window struct {
	Tenant     string    `json:"tenant"`
	EndpointID string    `json:"endpoint_id"`
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	// Unmatched names events that no endpoint wanted, of types this one wants now.
	Unmatched bool `json:"unmatched,omitempty"`
}

package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// EventInput starts an Event; its data is the second argument, a payload of its own, so that it
// stays byte for byte what the app sent. Fields are added, never renamed or re-typed.
type EventInput struct {
	Event       webhook.Event   `json:"event"`
	EndpointIDs []string        `json:"endpoint_ids"`       // those that matched when the event was accepted
	Context     json.RawMessage `json:"context,omitempty"`  // what a third party said of several events at once
	Withheld    []string        `json:"withheld,omitempty"` // those that matched, of the application it came from
	Disabled    []string        `json:"disabled,omitempty"` // those that matched and were disabled: it can be redelivered to them
	By          string          `json:"by,omitempty"`       // who posted it: the subject of the token
}

// Unmatched says whether no endpoint wants the event. An event that is kept from an endpoint,
// because it is an echo or comes from the endpoint's own application, is wanted. So is one that
// only disabled endpoints want.
func (in EventInput) Unmatched() bool {
	return len(in.EndpointIDs) == 0 && len(in.Withheld) == 0 && len(in.Disabled) == 0 && !in.Event.Origin.IsEcho()
}

// reasonDisabled is why a delivery was rejected before it began.
const reasonDisabled = "the endpoint was disabled"

// Deliveries are those of an event that was just accepted. Those to endpoints that take nothing
// have ended.
func (in EventInput) Deliveries() []webhook.DeliveryReport {
	var all []webhook.DeliveryReport
	for _, id := range in.EndpointIDs {
		all = append(all, webhook.DeliveryReport{EndpointID: id, Status: webhook.Pending})
	}
	for _, id := range in.Disabled {
		all = append(all, webhook.DeliveryReport{EndpointID: id, Status: webhook.Rejected, Reason: reasonDisabled})
	}
	return all
}

// EventReport says what became of an event: the answer to QueryReport and, at the end, the result.
// Attempts of a delivery with a workflow of its own stand in that workflow's report, not here, so
// the size of this one is bounded by the fast lane.
type EventReport struct {
	Status     webhook.EventStatus      `json:"status"`
	Deliveries []webhook.DeliveryReport `json:"deliveries"`
}

// Summary is the line that names an event in the Temporal UI.
func (in EventInput) Summary() string {
	switch n := len(in.EndpointIDs); {
	case in.Event.Origin.IsEcho():
		return in.Event.Type + " → no endpoint, an echo"
	case n == 0 && len(in.Disabled) > 0:
		return in.Event.Type + " → disabled endpoints alone"
	case n == 0:
		return in.Event.Type + " → no endpoint"
	case n == 1:
		return in.Event.Type + " → 1 endpoint"
	default:
		return fmt.Sprintf("%s → %d endpoints", in.Event.Type, n)
	}
}

// DeliveryInput starts a Delivery: ids and what the fast lane already tried, never the data.
// Fields are added, never renamed or re-typed.
type DeliveryInput struct {
	Event      webhook.Event        `json:"event"`
	EventRunID string               `json:"event_run_id"` // the run whose history holds the data
	EndpointID string               `json:"endpoint_id"`
	AcceptedAt time.Time            `json:"accepted_at,omitzero"` // the event; zero: by code that does not say
	Schedule   webhook.Schedule     `json:"schedule,omitempty"`   // as it was at the first turn; empty: not known yet
	Attempts   []webhook.Attempt    `json:"attempts,omitempty"`
	Deferral   *webhook.Deferral    `json:"deferral,omitempty"`   // why the fast lane made no attempt
	Redelivery *webhook.Instruction `json:"redelivery,omitempty"` // who started a finished delivery again
	Parked     string               `json:"parked,omitempty"`     // why a person must let it go first
	Carried    *Carried             `json:"carried,omitempty"`    // of the run before, after a continue-as-new
}

// park leaves a delivery to a person if its event has come this way too often.
func (in *DeliveryInput) park() {
	if in.Event.Hops < webhook.MaxHops {
		return
	}
	in.Parked = fmt.Sprintf("the event has passed through Hookloop %d times: it may go in circles, "+
		"so a person must let it go (retry-now) or end it (cancel)", in.Event.Hops)
	in.Deferral = &webhook.Deferral{Reason: webhook.DeferState, Detail: in.Parked}
}

// number is that of the next attempt, from 1.
func (in *DeliveryInput) number() int { return len(in.Attempts) + 1 }

// seed makes this delivery's jitter its own, and the same in every replay.
func (in *DeliveryInput) seed() string { return in.Event.ID + "/" + in.EndpointID }

// shortWait says how long it is until the next turn, if the Event waits for that by itself.
func (in *DeliveryInput) shortWait(now time.Time) (time.Duration, bool) {
	if in.Deferral == nil {
		next := webhook.Decide(in.Schedule, in.Attempts[len(in.Attempts)-1], in.seed())
		return next.Wait, next.Status == webhook.Retrying && next.Wait <= earlyRetry
	}
	wait := webhook.DeferWait(*in.Deferral, 1, in.seed())
	if !in.Deferral.Until.IsZero() {
		wait = max(in.Deferral.Until.Sub(now), 0)
	}
	switch in.Deferral.Reason {
	case webhook.DeferConcurrency, webhook.DeferLimit, webhook.DeferInternal, webhook.DeferStopping:
		return wait, wait <= shortDeferral
	case webhook.DeferBreaker, webhook.DeferState, webhook.DeferDisabled, webhook.DeferSchedule:
	}
	return 0, false // behind an open breaker a Delivery waits: a recheck reaches it when the breaker closes
}

// Carried is what a Delivery gives the run that continues it, beside its input.
type Carried struct {
	Status      webhook.DeliveryStatus `json:"status"`
	Reason      string                 `json:"reason,omitempty"`
	Next        time.Duration          `json:"next"` // the wait that was about to begin
	Deferrals   int                    `json:"deferrals"`
	ParkedUntil time.Time              `json:"parked_until"`
	Ignored     string                 `json:"ignored,omitempty"`
	Inbox       deliveryInbox          `json:"inbox"`
}

// RecoveryInput starts a Recovery: redeliver, at a pace, what was not delivered to one endpoint of
// the events accepted between Since and Until.
type RecoveryInput struct {
	Window        webhook.Window      `json:"window"`
	RatePerSecond float64             `json:"rate_per_second"`
	Instruction   webhook.Instruction `json:"instruction"`

	Page   []byte         `json:"page,omitempty"` // where the run before stopped, after a continue-as-new
	Report RecoveryReport `json:"report"`         // what it had done by then
}

// RecoveryReport says how far a Recovery is: the answer to QueryReport and, at the end, the result.
type RecoveryReport struct {
	Found       int  `json:"found"`       // deliveries of the window that ended undelivered
	Redelivered int  `json:"redelivered"` // of them started again
	Skipped     int  `json:"skipped"`     // under way or delivered meanwhile, or their history is gone
	Done        bool `json:"done"`

	Stopped string `json:"stopped,omitempty"` // why it ended before its end: nothing goes to the endpoint any more
}

// ApprovalInput starts an Approval; what there is to approve comes as its first signal. Fields are
// added, never renamed or re-typed.
type ApprovalInput struct {
	Tenant     string `json:"tenant"`
	EndpointID string `json:"endpoint_id"`

	Carried *CarriedApproval `json:"carried,omitempty"` // of the run before, after a continue-as-new
}

// CarriedApproval is what an Approval gives the run that continues it.
type CarriedApproval struct {
	Report    webhook.ApprovalReport   `json:"report"`
	Facts     activities.EndpointFacts `json:"facts"`
	Reminded  int                      `json:"reminded"`
	Counted   int                      `json:"counted"`
	Probes    int                      `json:"probes"`
	Announced int                      `json:"announced"`
	ByHand    bool                     `json:"by_hand,omitempty"`
	Asking    string                   `json:"asking,omitempty"` // why people are about to be asked
	Ignored   string                   `json:"ignored,omitempty"`
	Inbox     approvalInbox            `json:"inbox"`
}

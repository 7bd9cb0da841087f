package webhook

import (
	"fmt"
	"net/http"
	"time"
)

// MaxResponseBody bounds what we keep of an endpoint's answer, in bytes: enough to debug with, too
// little to hurt a history.
const MaxResponseBody = 4 << 10

// Attempt is one HTTP request of a delivery and what came back. It stands in workflow histories
// and in the API: fields are added, never renamed.
type Attempt struct {
	Number     int       `json:"number"` // from 1
	At         time.Time `json:"at"`
	StatusCode int       `json:"status_code,omitempty"` // 0: no answer
	DurationMS int64     `json:"duration_ms"`
	Failure    Failure   `json:"failure,omitempty"` // why there was no answer
	// Error says the same to a person, or what was wrong with the answer's body.
	Error        string `json:"error,omitempty"`
	ResponseBody string `json:"response_body,omitempty"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"` // as the endpoint asked
	// Directive is what the endpoint asked for beside its status.
	Directive       Directive `json:"webhook_delivery,omitempty"`
	EndpointVersion int       `json:"endpoint_version,omitempty"`
}

// Succeeded says whether the endpoint took the event. Only 2xx counts.
func (a Attempt) Succeeded() bool { return a.StatusCode/100 == 2 }

// IsGone says whether the endpoint asks for no more deliveries.
func (a Attempt) IsGone() bool {
	return !a.Succeeded() && (a.StatusCode == http.StatusGone || a.Directive == DirectiveDisable)
}

// RetryAfter is the wait the endpoint asked for; zero when it did not.
func (a Attempt) RetryAfter() time.Duration { return time.Duration(a.RetryAfterMS) * time.Millisecond }

// Directive is the value of the response header webhook-delivery, as Standard Webhooks proposes it.
// Other values than these are ignored.
type Directive string

// The directives.
const (
	DirectiveAbort   Directive = "abort-message" // end this delivery
	DirectiveDisable Directive = "disable"       // hold the endpoint
)

// Failure is the kind of an attempt without an answer. The value is a metric label.
type Failure string

// The kinds of failure.
const (
	FailureRefused Failure = "refused" // connection refused
	FailureReset   Failure = "reset"   // connection broken before a whole answer
	FailureDNS     Failure = "dns"
	FailureTLS     Failure = "tls"
	FailureTimeout Failure = "timeout"
	FailureAddress Failure = "address" // the address guard would not dial it
	// FailureRequest: the request that the endpoint asks for cannot be made of this event.
	FailureRequest Failure = "request"
	FailureOther   Failure = "other"
)

// DeferReason says why a delivery's turn passed without an attempt.
type DeferReason string

// The reasons to defer. None of them spends an attempt.
const (
	DeferSchedule    DeferReason = "scheduled" // the schedule asks for a wait before the first attempt
	DeferBreaker     DeferReason = "breaker_open"
	DeferConcurrency DeferReason = "concurrency_limited" // as much is in flight as the endpoint answers well, or its tenant may have
	DeferLimit       DeferReason = "rate_limited"        // the wait ends at a slot of the delivery's own
	DeferState       DeferReason = "endpoint_state"      // held or paused
	DeferDisabled    DeferReason = "endpoint_disabled"
	DeferInternal    DeferReason = "internal" // our own fault: registry or history out of reach
	DeferStopping    DeferReason = "stopping" // the worker is shutting down
)

// Deferral is the error of a turn in which no attempt was made.
type Deferral struct {
	Reason DeferReason `json:"reason"`
	Detail string      `json:"detail,omitempty"`
	WaitMS int64       `json:"wait_ms,omitempty"` // a sooner turn would be in vain
	// Until is the same as a time, where the delivery must meet it: a slot.
	Until time.Time `json:"until,omitzero"`
}

// Wait is the shortest useful wait; zero when it is not known.
func (d *Deferral) Wait() time.Duration { return time.Duration(d.WaitMS) * time.Millisecond }

func (d *Deferral) Error() string {
	if d.Detail == "" {
		return "deferred: " + string(d.Reason)
	}
	return fmt.Sprintf("deferred: %s: %s", d.Reason, d.Detail)
}

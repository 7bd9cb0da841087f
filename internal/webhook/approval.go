package webhook

import (
	"cmp"
	"strconv"
	"time"
)

// When people are asked about an endpoint that keeps failing, and how long they have.
const (
	DefaultApprovalAfter   = time.Hour
	DefaultApprovalTimeout = 7 * 24 * time.Hour
	// MinApproval is of either; a minute is the least that makes sense outside of tests.
	MinApproval = time.Second
	MaxApproval = 90 * 24 * time.Hour
)

// ApprovalPolicy says when an endpoint that keeps failing is held and people are asked, and when it
// is rejected for want of an answer.
type ApprovalPolicy struct {
	After   time.Duration // of failing; zero: DefaultApprovalAfter
	Timeout time.Duration // of asking; zero: DefaultApprovalTimeout
	Named   bool          // a decision that does not say whose it is is refused
}

// IsZero says whether nothing but the defaults is set.
func (p ApprovalPolicy) IsZero() bool { return p == ApprovalPolicy{} }

// AfterOrDefault is how long an endpoint may fail unasked.
func (p ApprovalPolicy) AfterOrDefault() time.Duration {
	return cmp.Or(p.After, DefaultApprovalAfter)
}

// TimeoutOrDefault is how long people have to decide.
func (p ApprovalPolicy) TimeoutOrDefault() time.Duration {
	return cmp.Or(p.Timeout, DefaultApprovalTimeout)
}

// ApprovalStatus is where the episode of an endpoint that keeps failing stands. The value is the
// API's and the search attribute's.
type ApprovalStatus string

// The states of an approval. The last four are its end.
const (
	// ApprovalWatching: the endpoint fails, and people have not been asked yet.
	ApprovalWatching ApprovalStatus = "watching"
	ApprovalAwaiting ApprovalStatus = "awaiting-approval" // the endpoint is held
	ApprovalProbing  ApprovalStatus = "probing"           // approved; the oldest delivery is sent
	// ApprovalReleasing: the endpoint is active, and the other deliveries follow at a pace.
	ApprovalReleasing ApprovalStatus = "releasing"
	ApprovalReleased  ApprovalStatus = "released"
	ApprovalRecovered ApprovalStatus = "recovered" // by itself, before people were asked
	ApprovalRejected  ApprovalStatus = "rejected"
	// ApprovalCancelled: the endpoint was deleted or paused, or the approval stopped.
	ApprovalCancelled ApprovalStatus = "cancelled"
)

// Ended says whether nothing more will happen.
func (s ApprovalStatus) Ended() bool {
	switch s {
	case ApprovalReleased, ApprovalRecovered, ApprovalRejected, ApprovalCancelled:
		return true
	case ApprovalWatching, ApprovalAwaiting, ApprovalProbing, ApprovalReleasing:
	}
	return false
}

// The pace of a release, in deliveries a second.
const (
	DefaultReleaseRate = 10
	MinReleaseRate     = 0.1
	MaxReleaseRate     = 1000
)

// Decision is what a person says to an approval.
type Decision struct {
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	// RatePerSecond is the pace of the release; zero: DefaultReleaseRate.
	RatePerSecond float64 `json:"rate_per_second,omitempty"`
}

// Check refuses a pace that is none.
func (d Decision) Check() error {
	// the negation also catches NaN
	if r := d.RatePerSecond; r != 0 && !(r >= MinReleaseRate && r <= MaxReleaseRate) {
		return Invalidf("rate_per_second", "must lie between %g and %d", MinReleaseRate, MaxReleaseRate)
	}
	return nil
}

// Rate is the pace that was asked for, or the default.
func (d Decision) Rate() float64 {
	return cmp.Or(d.RatePerSecond, DefaultReleaseRate)
}

// Answer is what an endpoint answered to an attempt, without anything the app or the endpoint wrote
// in a body: it stands in a history that is not the event's.
type Answer struct {
	At         time.Time `json:"at"`
	EventID    string    `json:"event_id,omitempty"`
	StatusCode int       `json:"status_code,omitempty"` // 0: no answer
	Failure    Failure   `json:"failure,omitempty"`
	Directive  Directive `json:"webhook_delivery,omitempty"`
}

// Decided is how it was decided, as people read it: "approved by alice".
type Decided string

// The decisions.
const (
	DecidedApprove Decided = "approved"
	DecidedReject  Decided = "rejected"
	DecidedResume  Decided = "resumed" // by hand, before people were asked
)

// ApprovalReport tells how an approval stands. It is a workflow result and stands in the API:
// fields are added, never renamed.
type ApprovalReport struct {
	EndpointID string         `json:"endpoint_id"`
	Status     ApprovalStatus `json:"status"`
	// Reason says why people are asked, or how it ended, for a person.
	Reason       string     `json:"reason,omitempty"`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	// AskAt is when people are asked, unless the endpoint takes something before; only while
	// watching.
	AskAt       *time.Time `json:"ask_at,omitempty"`
	AskedAt     *time.Time `json:"asked_at,omitempty"`
	DecideBy    *time.Time `json:"decide_by,omitempty"`    // then it is rejected
	LastAnswers []Answer   `json:"last_answers,omitempty"` // the latest last
	// Waiting counts deliveries under way to it, of any status; absent: not counted yet.
	Waiting    *int       `json:"waiting,omitempty"`
	CountedAt  *time.Time `json:"counted_at,omitempty"`
	Decided    Decided    `json:"decided,omitempty"` // the last decision
	Decision   *Decision  `json:"decision,omitempty"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	Released   int        `json:"released"` // deliveries let go since
	WorkflowID string     `json:"workflow_id"`
	RunID      string     `json:"run_id,omitempty"`
}

// EndKind says why an episode ends without a decision.
type EndKind string

// The ends that come from outside.
const (
	EndPaused  EndKind = "paused"  // by hand: its deliveries stay held
	EndDeleted EndKind = "deleted" // its deliveries end as cancelled
)

// End ends an episode.
type End struct {
	Kind EndKind `json:"kind"`
	Instruction
}

// Failing says that an endpoint fails: a breaker opened, or the endpoint wants no more, or it takes
// nothing and refuses one event after the other.
type Failing struct {
	Answer Answer `json:"answer"`
	// 410, or webhook-delivery: disable: people are asked at once
	Gone bool `json:"gone,omitempty"`
	// refused at least five different events since then, and took none; absent: it fails
	RefusesSince *time.Time `json:"refuses_since,omitempty"`
}

// Probe is what came of the one delivery that is sent before a release.
type Probe struct {
	Made   bool   `json:"made"` // false: there was nothing to send
	Answer Answer `json:"answer"`
}

// AnswerOf is what may be shown of an attempt outside of its event.
func AnswerOf(a Attempt, eventID string) Answer {
	return Answer{At: a.At, EventID: eventID, StatusCode: a.StatusCode, Failure: a.Failure, Directive: a.Directive}
}

func (a Answer) String() string {
	switch {
	case a.StatusCode != 0:
	case a.Failure == FailureAddress:
		return "no request: we do not dial its address"
	case a.Failure == FailureRequest:
		return "no request could be made of the event"
	case a.Failure != "":
		return "no answer (" + string(a.Failure) + ")"
	default:
		return "no answer"
	}
	line := "HTTP " + strconv.Itoa(a.StatusCode)
	if a.Directive != "" {
		line += ", webhook-delivery: " + string(a.Directive)
	}
	return line
}

package webhook

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"hookloop/internal/signature"
)

// EndpointState says whether deliveries go to an endpoint.
type EndpointState string

// The states of an endpoint. New events match all but the disabled; held and paused ones keep
// their deliveries waiting.
const (
	EndpointActive   EndpointState = "active"
	EndpointHeld     EndpointState = "held"
	EndpointPaused   EndpointState = "paused"
	EndpointDisabled EndpointState = "disabled"
)

// Endpoint is a consumer's URL, its secrets and its policies.
type Endpoint struct {
	ID          string
	Tenant      string
	URL         string
	EventTypes  []string // empty: every type
	Description string
	Owner       string            // whose it is, in the words of the app; empty: not said
	Headers     map[string]string // sent with every attempt
	Metadata    map[string]string // the app's own, never sent
	Schedule    Schedule          // empty: DefaultSchedule
	Timeout     time.Duration     // of one attempt; zero: DefaultTimeout
	RateLimit   RateLimit         // zero: none
	Approval    ApprovalPolicy
	Application string       // the application behind it; empty: not said
	EchoBack    bool         // wants also what came from its own application
	Echo        EchoPaths    // over what it is sent; zero: its echoes are not recognised
	Request     RequestShape // zero: the envelope
	State       EndpointState
	StateReason string // why it is not active, for a person; empty while it is
	// Releasing is when the release of its held deliveries should end; zero: none is under way.
	Releasing time.Time
	// BreakerOpenedAt is when a worker last reported the endpoint failing; zero since it recovered.
	BreakerOpenedAt time.Time
	Secrets         []EndpointSecret // the newest first; at least one
	Version         int              // 1 at creation, one more with each change; attempts record it
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// EndpointQuery says which of a tenant's endpoints are wanted: in the order of their ids, those
// behind After ("" starts at the first), at most Limit.
type EndpointQuery struct {
	Owner string // empty: every owner's, and those of none
	After string
	Limit int
}

// Clone is a copy that changes of e do not reach.
func (e Endpoint) Clone() Endpoint {
	e.EventTypes, e.Schedule, e.Secrets = slices.Clone(e.EventTypes), slices.Clone(e.Schedule), slices.Clone(e.Secrets)
	e.Headers, e.Metadata = maps.Clone(e.Headers), maps.Clone(e.Metadata)
	return e
}

// RateLimit bounds the attempts that one worker makes at an endpoint, of any kind: first ones,
// retries, redeliveries.
type RateLimit struct {
	PerSecond float64 `json:"per_second"`
	Burst     int     `json:"burst"` // attempts that may go at once after a silence
}

// IsZero says whether there is no limit.
func (r RateLimit) IsZero() bool { return r == RateLimit{} }

// Check refuses what is no limit, or one that would not let anything through in a day.
func (r RateLimit) Check() error {
	switch {
	case !(r.PerSecond >= 0.001 && r.PerSecond <= 10_000): // the negation also catches NaN
		return Invalidf("rate_limit.per_second", "must lie between 0.001 and 10000")
	case r.Burst < 1 || r.Burst > 10_000:
		return Invalidf("rate_limit.burst", "must lie between 1 and 10000")
	}
	return nil
}

// EndpointSecret is a signing secret and when it stops signing.
type EndpointSecret struct {
	Secret    signature.Secret
	ExpiresAt time.Time // zero: never
}

// Time-outs of one attempt, of which Standard Webhooks advises 15 to 30 s. The least is in api.
const (
	DefaultTimeout = 15 * time.Second
	MaxTimeout     = 30 * time.Second
)

// SigningSecrets are the secrets that sign at time t, the newest first.
func (e Endpoint) SigningSecrets(t time.Time) []signature.Secret {
	var live []signature.Secret
	for _, s := range e.Secrets {
		if s.ExpiresAt.IsZero() || t.Before(s.ExpiresAt) {
			live = append(live, s.Secret)
		}
	}
	return live
}

// PreviousSecretUntil is until when secrets before the newest sign, at time t; zero: none does.
func (e Endpoint) PreviousSecretUntil(t time.Time) (until time.Time) {
	for _, s := range e.Secrets[min(1, len(e.Secrets)):] {
		if t.Before(s.ExpiresAt) && until.Before(s.ExpiresAt) {
			until = s.ExpiresAt.UTC()
		}
	}
	return until
}

// Rotate puts next in front. The secrets before it sign until overlap has passed, but never longer
// than they would have; those that have stopped signing are dropped.
func (e *Endpoint) Rotate(next signature.Secret, now time.Time, overlap time.Duration) {
	until := now.Add(overlap)
	kept := slices.DeleteFunc(slices.Clone(e.Secrets), func(s EndpointSecret) bool {
		return overlap <= 0 || !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt)
	})
	for i := range kept {
		if kept[i].ExpiresAt.IsZero() || until.Before(kept[i].ExpiresAt) {
			kept[i].ExpiresAt = until
		}
	}
	e.Secrets = append([]EndpointSecret{{Secret: next}}, kept...)
}

// ScheduleOrDefault is the schedule its deliveries follow.
func (e Endpoint) ScheduleOrDefault() Schedule {
	if len(e.Schedule) == 0 {
		return DefaultSchedule()
	}
	return e.Schedule
}

// TimeoutOrDefault bounds one attempt to it.
func (e Endpoint) TimeoutOrDefault() time.Duration {
	return cmp.Or(e.Timeout, DefaultTimeout)
}

// Refuses says why a turn may not go to the endpoint as it is at time t; nil when it may. A
// delivery that was held has to wait for its place in a release; fresh ones need not.
func (e Endpoint) Refuses(t time.Time, held bool) *Deferral {
	why := "the endpoint is " + string(e.State)
	switch {
	case strings.HasPrefix(e.StateReason, string(e.State)): // "paused by alice"
		why = "the endpoint is " + e.StateReason
	case e.StateReason != "":
		why += ": " + e.StateReason
	}
	switch e.State {
	case EndpointDisabled:
		return &Deferral{Reason: DeferDisabled, Detail: why}
	case EndpointHeld, EndpointPaused:
		return &Deferral{Reason: DeferState, Detail: why}
	case EndpointActive:
	}
	if left := e.Releasing.Sub(t); held && left > 0 {
		return &Deferral{Reason: DeferState, Detail: "its place in the release has not come", WaitMS: left.Milliseconds()}
	}
	return nil
}

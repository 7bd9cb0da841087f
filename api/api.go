// Package api describes the HTTP API: what each request and each answer holds and within which
// bounds, the scopes of tokens, the codes of problems. It decides nothing. The gateway reads,
// checks and documents its requests by these types; package client and the CLI send them.
//
// Bounds stand in struct tags: those of huma (minimum, maxLength, enum, pattern and so on), and
// shortest and longest for a Duration. A field without omitempty or omitzero is required.
package api

import "hookloop/internal/webhook"

// Page is one page of a list.
type Page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor" nullable:"true" doc:"null on the last page."`
}

// PageQuery says which page of a list is wanted.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50" doc:"How many entries a page has at most."`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before; the other parameters must be the same."`
}

// Requests and answers share these types with the rest of Hookloop. Their values are part of
// the API.
type (
	// EventStatus is how an event stands.
	EventStatus = webhook.EventStatus
	// DeliveryStatus is how a delivery stands.
	DeliveryStatus = webhook.DeliveryStatus
	// EndpointState says whether an endpoint gets anything.
	EndpointState = webhook.EndpointState
	// ApprovalStatus is how an approval stands.
	ApprovalStatus = webhook.ApprovalStatus
	// Attempt is one HTTP request of a delivery, and its answer.
	Attempt = webhook.Attempt
	// Answer is what an endpoint answered, in short.
	Answer = webhook.Answer
	// Origin is where a source's event came from.
	Origin = webhook.Origin
	// Decided is what people decided.
	Decided = webhook.Decided
	// Decision is who decided, why, and at which rate a release goes.
	Decision = webhook.Decision
)

// The states of an event.
const (
	EventDelivering = webhook.EventDelivering
	EventDelivered  = webhook.EventDelivered
	EventFailed     = webhook.EventFailed    // at least one delivery ended otherwise
	EventUnmatched  = webhook.EventUnmatched // no endpoint wanted it
)

// The states of a delivery. The first three go on; the others are its end.
const (
	DeliveryPending   = webhook.Pending   // no attempt yet
	DeliveryRetrying  = webhook.Retrying  // waits for its next attempt
	DeliveryHeld      = webhook.Held      // waits for a person
	DeliveryDelivered = webhook.Delivered // answered 2xx
	DeliveryExhausted = webhook.Exhausted // the schedule is spent
	DeliveryRejected  = webhook.Rejected  // a person, or the endpoint, refused it
	DeliveryCancelled = webhook.Cancelled // stopped, or the endpoint was deleted
)

// The states of an endpoint.
const (
	EndpointActive   = webhook.EndpointActive
	EndpointHeld     = webhook.EndpointHeld     // it keeps failing; people are asked
	EndpointPaused   = webhook.EndpointPaused   // held by hand
	EndpointDisabled = webhook.EndpointDisabled // nothing goes to it until a person resumes it
)

// The states of an approval. The last four are its end.
const (
	ApprovalWatching  = webhook.ApprovalWatching
	ApprovalAwaiting  = webhook.ApprovalAwaiting
	ApprovalProbing   = webhook.ApprovalProbing
	ApprovalReleasing = webhook.ApprovalReleasing
	ApprovalReleased  = webhook.ApprovalReleased
	ApprovalRecovered = webhook.ApprovalRecovered
	ApprovalRejected  = webhook.ApprovalRejected
	ApprovalCancelled = webhook.ApprovalCancelled
)

// The decisions about an endpoint that keeps failing.
const (
	DecidedApprove = webhook.DecidedApprove
	DecidedReject  = webhook.DecidedReject
	DecidedResume  = webhook.DecidedResume // by hand, before people were asked
)

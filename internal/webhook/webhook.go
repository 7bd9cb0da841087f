// Package webhook is Hookloop's language: events, endpoints, deliveries, attempts, schedules, and
// the pure decisions about them. It does nothing: no I/O, no clock, no randomness, so workflows may
// call all of it and replay to the same answer. Every other package speaks in its words.
package webhook

import "time"

// What the ids of events, endpoints and sources begin with; 26 lower-case base32 characters follow.
const (
	EventPrefix    = "evt_"
	EndpointPrefix = "ep_"
	SourcePrefix   = "src_"
)

// DefaultRetention is how long Temporal keeps the history of a workflow that ended, by default.
// It bounds redelivery, idempotency and the audit.
const DefaultRetention = 30 * 24 * time.Hour

// EncodingEncrypted is the encoding of a payload in a history that is encrypted. Histories hold it,
// and Temporal's UI and samples know it.
const EncodingEncrypted = "binary/encrypted"

// MinTokenSecret is the shortest secret that signs tokens (HS256), in bytes: RFC 7518 section 3.2
// asks for the hash's size.
const MinTokenSecret = 32

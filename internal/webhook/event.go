package webhook

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Bounds in bytes.
const (
	// MaxBody bounds a request to the API, and so an app's event.
	MaxBody = 1 << 20
	// MaxData bounds any event's data. GitHub sends as much, and a third party cannot be asked for
	// less.
	MaxData = 25 << 20
)

// Event is what happened: immutable, and without its data. The data travels beside it as bytes,
// because a round trip through encoding/json would change them (see ADR 2).
type Event struct {
	Tenant    string    `json:"tenant"`
	ID        string    `json:"id"` // the webhook-id of every delivery
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`        // when it happened, says the app; UTC
	Hops      int       `json:"hops,omitempty"`   // how often it has passed through Hookloop before
	Origin    *Origin   `json:"origin,omitempty"` // nil: an app posted it, or we made it

	// Operational is set on what Hookloop itself says of endpoints and deliveries. Its own
	// deliveries cause no such event in turn.
	Operational bool `json:"operational,omitempty"`

	// Stored is how many bytes of data lie in the body store. 0: the data lies in the event's
	// history.
	Stored int64 `json:"stored,omitempty"`

	// Where its attempts belong in the trace of what it came with, as W3C's headers traceparent and
	// tracestate; empty: it is not traced.
	Trace      string `json:"trace,omitempty"`
	TraceState string `json:"trace_state,omitempty"`
}

// EventStatus sums up all deliveries of an event.
type EventStatus string

// The states of an event: delivered once every delivery was, failed once one ended otherwise,
// unmatched when no endpoint wanted it.
const (
	EventDelivering EventStatus = "delivering"
	EventDelivered  EventStatus = "delivered"
	EventFailed     EventStatus = "failed"
	EventUnmatched  EventStatus = "unmatched"
)

// Content is what an event says, apart from the facts about it, as JSON.
type Content struct {
	Data []byte // byte for byte as it came
	// Context is what a third party said of several events at once, without its blanks; may be
	// empty.
	Context []byte
}

// Body is what every endpoint receives of an event: Standard Webhooks' envelope with data byte for
// byte as it came. The same event gives the same bytes on every attempt.
func Body(e Event, c Content) []byte {
	var b bytes.Buffer
	b.Grow(len(c.Data) + len(c.Context) + 128)
	b.WriteString(`{"type":`)
	b.Write(Quote(e.Type))
	b.WriteString(`,"timestamp":`)
	b.Write(Quote(e.Timestamp.UTC().Format(time.RFC3339Nano)))
	b.WriteString(`,"data":`)
	b.Write(c.Data)
	if len(c.Context) > 0 {
		b.WriteString(`,"context":`)
		b.Write(c.Context)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// CheckData refuses data that no event can carry: what is not one JSON value in valid UTF-8, is
// larger than MaxData or nests deeper than MaxDepth.
func CheckData(data []byte) error {
	switch {
	case len(data) > MaxData:
		return Invalidf("data", "has %d bytes, at most %d are allowed", len(data), MaxData)
	case !utf8.Valid(data):
		return Invalidf("data", "is not valid UTF-8")
	case depth(data) > MaxDepth:
		return Invalidf("data", "nests deeper than %d levels", MaxDepth)
	case !json.Valid(data):
		return Invalidf("data", "is not valid JSON")
	}
	return nil
}

// EventStatusOf sums up some deliveries of an event as if they were all; there is one at least.
func EventStatusOf(some []DeliveryReport) EventStatus {
	status := EventDelivered
	for _, d := range some {
		if !d.Status.Ended() {
			return EventDelivering
		}
		if d.Status != Delivered {
			status = EventFailed
		}
	}
	return status
}

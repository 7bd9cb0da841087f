// Package source understands what third parties send: whether a request is truly theirs, which
// events are in it, and what they want to read in return. One provider is one file and one line in
// the table of providers.go. It starts nothing and stores nothing: the gateway asks it about every
// request to /in/{source_id} and acts on the answer. Protocols, traps and sources: docs/sources.md.
package source

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Request is one request of a third party, whole.
type Request struct {
	Method string // GET or POST
	Query  string // as it came, without the question mark
	Header http.Header
	Body   []byte // as it came: signatures cover bytes, not JSON
	Now    time.Time
}

// Provider is one third party with the config of one source of it.
type Provider interface {
	// Verify says whether r comes from the third party. Its errors are a *Refusal, or
	// ErrUnavailable when that cannot be known right now.
	Verify(ctx context.Context, r Request) error
	// Read finds the events in a verified request, or answers a handshake. Its error is a *Refusal:
	// the request is truly theirs and yet cannot be read.
	Read(r Request) (Received, error)
}

// Received is what a verified request holds.
type Received struct {
	Items   []Item
	Answer  Answer   // what they want to read; zero: an empty 200
	Binding *Binding // nil: nothing
}

// Item is one event as the third party sent it.
type Item struct {
	Type string // their word; empty where they have none
	Key  string // their id of it, or a hash of its content where they give none
	// Identity makes it the same event when it comes again: their id of it together with what is
	// signed. Empty: Key is.
	Identity string
	// SameFor is how long another item of this identity is the same event. 0: for as long as ids
	// are remembered, which is right where the third party gave an id. Never: each is an event of
	// its own.
	SameFor time.Duration
	Data    json.RawMessage // byte for byte as it came
	// Context is what the third party said of several events at once, a JSON object; empty:
	// nothing.
	Context json.RawMessage
}

// ID is what tells this event from all others of its source.
func (i Item) ID() string {
	return cmp.Or(i.Identity, i.Key)
}

// Binding ties a name that a third party gave to the one content it was first seen with: the same
// name with another content is a forgery.
type Binding struct {
	Name    string
	Content string        // a hash
	For     time.Duration // how long a repeat may come
}

// Answer is an HTTP response.
type Answer struct {
	Status      int // 0: 200
	ContentType string
	Body        []byte
}

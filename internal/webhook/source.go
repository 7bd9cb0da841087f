package webhook

import (
	"cmp"
	"strings"
	"time"

	"hookloop/internal/signature"
)

// Source is a third party that sends to us, and how we know that it is them.
type Source struct {
	ID          string
	Tenant      string
	Provider    string // whose protocol it speaks
	Name        string
	Config      signature.Hidden // JSON as its provider wants it; holds the third party's secrets
	TypePrefix  string           // begins the types of its events; empty: the provider's name
	Application string           // the endpoints of the same application do not get its events back
	Echo        EchoPaths        // zero: its events are never taken for an echo
	Version     int              // 1 at creation, one more with each change
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Prefix is what the types of the source's events begin with.
func (s Source) Prefix() string { return cmp.Or(s.TypePrefix, EventTypeOf("", s.Provider)) }

// MaxHops is how often an event may pass through Hookloop before a person must say that this is no
// loop.
const MaxHops = 8

// ParkedTimeout is how long a delivery waits for that word before it ends as rejected.
const ParkedTimeout = DefaultApprovalTimeout

// Origin tells where an event came from that no app posted. Fields are added, never renamed.
type Origin struct {
	SourceID    string `json:"source_id"`
	Provider    string `json:"provider"`
	Key         string `json:"key"` // the third party's id of it, or a hash of its content
	Application string `json:"application,omitempty"`
	// Order is its place among the changes to all objects; 0: not known.
	Order  int64 `json:"order,omitempty"`
	Unsure bool  `json:"unsure,omitempty"` // it may say nothing new; see echo.Ruling
	// EchoOf is the event whose delivery made the application say this; empty: it is a change.
	EchoOf string `json:"echo_of,omitempty"`
	// Repeats is the event whose content is brought once more to an application that lost it.
	Repeats string `json:"repeats,omitempty"`
}

// IsEcho says whether the event only repeats what we wrote to the application.
func (o *Origin) IsEcho() bool { return o != nil && o.EchoOf != "" }

// EventTypeOf makes an event type of a third party's word: "orders/create" of the prefix "shop" is
// "shop.orders.create". A word that begins with the prefix is not given it twice; without a prefix
// it stands alone.
func EventTypeOf(prefix, theirs string) string {
	word := typeSegments(theirs)
	switch {
	case word == "":
		word = "event"
	case prefix == "" || strings.HasPrefix(word, prefix+"."):
		return cutType(word)
	}
	return cutType(prefix + "." + word)
}

// typeSegments writes a word in our grammar: what separates becomes a dot, what is left of other
// characters an underscore.
func typeSegments(word string) string {
	word = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r == '.' || r == '/' || r == ':':
			return '.'
		}
		return '_'
	}, word)
	return strings.Join(strings.FieldsFunc(word, func(r rune) bool { return r == '.' }), ".")
}

// cutType keeps a type within maxEventType.
func cutType(s string) string {
	if len(s) > maxEventType {
		s = s[:maxEventType]
	}
	return strings.TrimRight(s, ".")
}

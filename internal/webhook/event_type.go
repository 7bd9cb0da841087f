package webhook

import (
	"regexp"
	"slices"
	"strings"
)

// maxEventType bounds an event type, in bytes.
const maxEventType = 128

// EveryType is how an endpoint names every type of its tenant's own events. One that names no types
// means the same.
const EveryType = "*"

// below ends a pattern that names every type below a word: "order.*".
const below = ".*"

var eventType = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// TypeGrammar is what an event type must be, for a person.
const TypeGrammar = `must be words of letters, digits, - and _, separated by dots, like "contact.updated", at most 128 characters`

// CheckEventType refuses what is not dotted words of at most 128 bytes. Upper and lower case are
// different types.
func CheckEventType(s string) error {
	if len(s) > maxEventType || !eventType.MatchString(s) {
		return Invalidf("type", "%s", TypeGrammar)
	}
	return nil
}

// IsTypePattern says whether an endpoint may name its event types so: a type, "order.*" for every
// type below "order.", or EveryType.
func IsTypePattern(s string) bool {
	return s == EveryType || CheckEventType(strings.TrimSuffix(s, below)) == nil
}

// TypePatterns are all names by which an endpoint can want events of a type, the widest last:
// "order.paid.late", "order.paid.*", "order.*", EveryType.
func TypePatterns(eventType string) []string {
	return append(NamedPatterns(eventType), EveryType)
}

// NamedPatterns are TypePatterns without EveryType. What Hookloop itself tells about endpoints and
// deliveries goes to endpoints that name it so, and to no others: an endpoint that wants
// "everything" means its tenant's events.
func NamedPatterns(eventType string) []string {
	all := []string{eventType}
	for word := eventType; ; {
		dot := strings.LastIndexByte(word, '.')
		if dot < 0 {
			return all
		}
		word = word[:dot]
		all = append(all, word+below)
	}
}

// Wants says whether the endpoint names a type of its tenant's own events.
func (e Endpoint) Wants(eventType string) bool {
	return len(e.EventTypes) == 0 || slices.ContainsFunc(TypePatterns(eventType), func(p string) bool {
		return slices.Contains(e.EventTypes, p)
	})
}

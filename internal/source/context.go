package source

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hookloop/internal/webhook"
)

// fact is something that a third party says in a header alone, and the name it gets in an event's
// context.
type fact struct{ name, header string }

// maxFact bounds a header's value in a context, in bytes: no signature covers it.
const maxFact = 512

// contextOf is the context of what some headers say; empty where they say nothing. A value that is
// no visible text is passed over.
func contextOf(h http.Header, facts ...fact) json.RawMessage {
	var said []webhook.Member
	for _, f := range facts {
		if value := h.Get(f.header); value != "" && len(value) <= maxFact && isText(value) {
			said = append(said, webhook.Member{Name: f.name, Value: webhook.Quote(value)})
		}
	}
	return objectOf(said)
}

// isText says whether a header's value is visible ASCII and blanks.
func isText(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// maxContextHeaders bounds the headers a source may ask for.
const maxContextHeaders = 16

// secretHeaders prove who sends. They are not passed on.
var secretHeaders = []string{"Authorization", "Cookie", "Proxy-Authorization"}

func (s *generic) checkContext() error {
	if len(s.ContextHeaders) > maxContextHeaders {
		return webhook.Invalidf("config.context_headers", "lists %d headers, at most %d are allowed", len(s.ContextHeaders), maxContextHeaders)
	}
	for i, name := range s.ContextHeaders {
		field := "config.context_headers[" + strconv.Itoa(i) + "]"
		if err := checkHeader(field, name, false); err != nil {
			return err
		}
		secret := slices.ContainsFunc(secretHeaders, func(h string) bool { return strings.EqualFold(h, name) })
		if secret || strings.EqualFold(name, s.Header) {
			return webhook.Invalidf(field, "proves who sends and is not passed on")
		}
	}
	return nil
}

// context passes on the headers the source asks for, under their names in lower case.
func (s *generic) context(r Request) json.RawMessage {
	facts := make([]fact, len(s.ContextHeaders))
	for i, name := range s.ContextHeaders {
		facts[i] = fact{name: strings.ToLower(name), header: name}
	}
	return contextOf(r.Header, facts...)
}

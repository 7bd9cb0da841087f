package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
	"unicode/utf8"
)

// MaxDepth bounds how deep an event may nest. PHP's json_decode stops at 512 by default and the
// envelope adds one: an endpoint must be able to read what we accept.
const MaxDepth = 500

// NewEvent is what an app posts: an event before it has a tenant and an id.
type NewEvent struct {
	Type      string
	Timestamp time.Time       // zero when the app gave none
	Data      json.RawMessage // exactly the app's bytes
	Subject   string          // whom it concerns; empty when the app did not say
}

// ParseEvent reads {"type", "data", "timestamp"?, "subject"?}. It is strict where encoding/json is
// lenient (duplicate and unknown keys, invalid UTF-8, depth), because the first mistake should be
// the app's to see, not the endpoint's.
func ParseEvent(body []byte) (NewEvent, error) {
	if !utf8.Valid(body) {
		return NewEvent{}, Errorf(BadJSON, "body is not valid UTF-8")
	}
	if depth(body) > MaxDepth {
		return NewEvent{}, Invalidf("data", "nests deeper than %d levels", MaxDepth)
	}
	fields, err := Members(body)
	if err != nil {
		return NewEvent{}, err
	}
	return newEvent(fields)
}

// explainObject says why a body is not one JSON object.
func explainObject(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return Errorf(BadJSON, "body is not a JSON object")
	}
	dec = json.NewDecoder(bytes.NewReader(body))
	var object json.RawMessage
	if err := dec.Decode(&object); err != nil {
		return badJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Errorf(BadJSON, "body goes on after the JSON object")
	}
	return Errorf(BadJSON, "body is not a JSON object")
}

func badJSON(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Errorf(BadJSON, "body is not valid JSON: it ends too early")
	}
	return Errorf(BadJSON, "body is not valid JSON: %v", err)
}

func newEvent(fields []Member) (NewEvent, error) {
	var e NewEvent
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] {
			return NewEvent{}, Invalidf(f.Name, "appears twice")
		}
		seen[f.Name] = true
		if err := e.set(f); err != nil {
			return NewEvent{}, err
		}
	}
	for _, name := range []string{"type", "data"} {
		if !seen[name] {
			return NewEvent{}, Invalidf(name, "is required")
		}
	}
	return e, CheckEventType(e.Type)
}

func (e *NewEvent) set(f Member) error {
	switch f.Name {
	case "type":
		if json.Unmarshal(f.Value, &e.Type) != nil {
			return Invalidf("type", "must be a string")
		}
	case "timestamp":
		if json.Unmarshal(f.Value, &e.Timestamp) != nil || e.Timestamp.IsZero() || !encodable(e.Timestamp.UTC()) {
			return Invalidf("timestamp", `must be an RFC 3339 time like "2026-01-31T12:00:00Z"`)
		}
		e.Timestamp = e.Timestamp.UTC()
	case "data":
		e.Data = f.Value
	case "subject":
		if json.Unmarshal(f.Value, &e.Subject) != nil || e.Subject == "" || len(e.Subject) > maxSubject {
			return Invalidf("subject", "must be a string of 1 to %d bytes", maxSubject)
		}
	default:
		return Invalidf(f.Name, "is not a field of an event (type, data, timestamp, subject)")
	}
	return nil
}

// encodable says whether encoding/json would write t again: an offset can carry a readable time out
// of the years RFC 3339 has.
func encodable(t time.Time) bool { return 0 <= t.Year() && t.Year() <= 9999 }

// depth is how many objects and arrays stand open at the deepest point. It need not be given
// valid JSON: a parser looks at the same bytes afterwards.
func depth(b []byte) int {
	deepest, open, inString := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}

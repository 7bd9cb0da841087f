package webhook

import (
	"bytes"
	"encoding/json"
)

// Member is one name and value of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage // untouched, byte for byte: a part of the body, not a copy
}

// Members reads one JSON object whole, in order. A name may appear twice. Its errors carry BadJSON.
func Members(body []byte) ([]Member, error) {
	s := scanner{rest: body}
	if s.first() != '{' || !json.Valid(body) {
		return nil, explainObject(body)
	}
	var all []Member
	for s.enter('{'); s.first() != '}'; s.enter(',') {
		var m Member
		_ = json.Unmarshal(s.value(), &m.Name) // it is a valid string
		s.enter(':')
		m.Value = s.value()
		all = append(all, m)
	}
	return all, nil
}

// Elements reads one JSON array, its elements untouched: parts of raw, not copies. It says no to
// anything else, null included.
func Elements(raw []byte) ([]json.RawMessage, bool) {
	s := scanner{rest: raw}
	if s.first() != '[' || !json.Valid(raw) {
		return nil, false
	}
	all := []json.RawMessage{}
	for s.enter('['); s.first() != ']'; s.enter(',') {
		all = append(all, s.value())
	}
	return all, true
}

// scanner cuts valid JSON into its parts.
type scanner struct{ rest []byte }

// first is the next byte that is no blank; 0: there is none.
func (s *scanner) first() byte {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	if len(s.rest) == 0 {
		return 0
	}
	return s.rest[0]
}

// enter passes a byte of punctuation, if it comes next.
func (s *scanner) enter(c byte) {
	if s.first() == c {
		s.rest = s.rest[1:]
	}
}

// value takes the next value, without the blanks around it.
func (s *scanner) value() []byte {
	s.first()
	end, open := 0, 0
	for ; end < len(s.rest); end++ {
		switch s.rest[end] {
		case '"':
			end += stringEnd(s.rest[end:])
		case '{', '[':
			open++
			continue
		case '}', ']':
			if open--; open < 0 { // of what holds the value
				return s.cut(end)
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if open == 0 {
				return s.cut(end)
			}
			continue
		default:
			continue
		}
		if open == 0 {
			return s.cut(end + 1)
		}
	}
	return s.cut(end)
}

// stringEnd is the place of the quote that ends a string.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(b) - 1
}

func (s *scanner) cut(end int) []byte {
	v := s.rest[:end:end]
	s.rest = s.rest[end:]
	return v
}

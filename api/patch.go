package api

import "encoding/json"

// Patch is a field of a change: left as it is (the zero Patch), given a value, or cleared, which
// means back to its default (RFC 7396). Use it with omitzero.
type Patch[T any] struct {
	given bool
	value *T // nil: cleared
}

// To gives a field a value.
func To[T any](value T) Patch[T] { return Patch[T]{given: true, value: &value} }

// Clear takes a field back to its default.
func Clear[T any]() Patch[T] { return Patch[T]{given: true} }

// IsZero says whether the field is left as it is.
func (p Patch[T]) IsZero() bool { return !p.given }

// MarshalJSON writes the value, or null.
func (p Patch[T]) MarshalJSON() ([]byte, error) { return json.Marshal(p.value) }

// UnmarshalJSON reads what is there; a field that is absent is not read at all.
func (p *Patch[T]) UnmarshalJSON(raw []byte) error {
	p.given = true
	return json.Unmarshal(raw, &p.value)
}

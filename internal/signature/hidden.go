package signature

import (
	"fmt"
	"io"
	"log/slog"
)

// Hidden is text that never prints itself, however it is formatted, logged or marshalled: a third
// party's keys, or what they are configured with. Only Reveal gives it away. It is a pointer to a
// string because fmt prints what stands in unexported fields of other structs without asking its
// methods, and of all kinds of pointer this is one it never follows.
type Hidden struct{ text *string }

// Mask is shown in its place.
const Mask = "***"

// Hide keeps s from being printed.
func Hide(s string) Hidden { return Hidden{text: &s} }

// Reveal is the text, for code that works with it and for sealing.
func (h Hidden) Reveal() string {
	if h.text == nil {
		return ""
	}
	return *h.text
}

func (h Hidden) String() string { return Mask }

// Format hides the text from every verb.
func (h Hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue hides the text from slog.
func (h Hidden) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText hides the text from encoders.
func (h Hidden) MarshalText() ([]byte, error) { return []byte(Mask), nil }

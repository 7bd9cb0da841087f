package source

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"hookloop/internal/webhook"
)

// Secret is a third party's key. Every way of formatting, logging or marshalling it shows ***, so a
// config can be printed and shown; its bytes are read by verifiers alone. It is a pointer for the
// reason signature.Secret is one.
type Secret struct{ key *string }

// UnmarshalJSON reads the key from a JSON string.
func (s *Secret) UnmarshalJSON(b []byte) error {
	var key string
	if err := json.Unmarshal(b, &key); err != nil {
		return err
	}
	s.key = &key
	return nil
}

func (s Secret) bytes() []byte { return []byte(s.text()) }

func (s Secret) text() string {
	if s.key == nil {
		return ""
	}
	return *s.key
}

const mask = "***"

func (s Secret) String() string { return mask }

// Format hides the secret from every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// check refuses a secret that would not keep anybody out.
func (s Secret) check(field string) error {
	switch s.text() {
	case "":
		return webhook.Invalidf(field, "must not be empty: without it anybody could send in the third party's name")
	case mask:
		return webhook.Invalidf(field, "is %s, what is shown in place of a secret, and not a secret", mask)
	}
	return nil
}

// Secrets are keys of which any one verifies: the new and the old one while the third party rotates.
type Secrets []Secret

// maxSecrets bounds the keys tried on every request.
const maxSecrets = 10

func (all Secrets) check(field string) error {
	if len(all) == 0 {
		return webhook.Invalidf(field, "must list at least one secret")
	}
	if len(all) > maxSecrets {
		return webhook.Invalidf(field, "lists %d secrets, at most %d are allowed", len(all), maxSecrets)
	}
	for i, s := range all {
		if err := s.check(field + "[" + strconv.Itoa(i) + "]"); err != nil {
			return err
		}
	}
	return nil
}

package signature

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const prefix = "whsec_"

// ErrSecret is what is wrong with a secret; it never quotes it.
var ErrSecret = errors.New(`must be "whsec_" and the base64 of 24 to 64 bytes`)

// Secret is a signing key. It is Hidden, and shown as whsec_***: only Reveal gives it away.
type Secret struct{ key Hidden }

func newSecret(key []byte) Secret { return Secret{key: Hide(string(key))} }

// NewSecret draws a secret of 32 bytes, HMAC-SHA256's natural key length.
func NewSecret() Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return newSecret(key)
}

// ParseSecret reads whsec_<base64>. Standard Webhooks asks for 24 to 64 bytes.
func ParseSecret(s string) (Secret, error) {
	encoded, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return Secret{}, ErrSecret
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < 24 || len(key) > 64 {
		return Secret{}, ErrSecret
	}
	return newSecret(key), nil
}

// Reveal is the secret in clear, for its owner and for sealing.
func (s Secret) Reveal() string { return prefix + base64.StdEncoding.EncodeToString(s.bytes()) }

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return len(s.bytes()) == 0 }

func (s Secret) String() string { return prefix + "***" }

// Format hides the secret from every verb: String alone would leave it to %d and %#v.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s Secret) bytes() []byte { return []byte(s.key.Reveal()) }

package signature

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
)

const prefix = "whsec_"

// ErrSecret is what is wrong with a secret; it never quotes it.
var ErrSecret = errors.New(`must be "whsec_" and the base64 of 24 to 64 bytes`)

// Secret is a signing key. It never prints itself: every way of formatting, logging or marshalling
// it shows whsec_***; only Reveal gives it away.
type Secret struct{ key []byte }

// NewSecret draws a secret of 32 bytes, HMAC-SHA256's natural key length.
func NewSecret() Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return Secret{key: key}
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
	return Secret{key: key}, nil
}

// Reveal is the secret in clear, for its owner and for sealing.
func (s Secret) Reveal() string { return prefix + base64.StdEncoding.EncodeToString(s.key) }

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return len(s.key) == 0 }

func (s Secret) String() string { return prefix + "***" }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Package token signs the tokens that gateways take, for `hookloop token` and `hookloop dev`. What
// a token allows is checked by the gateway.
package token

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hookloop/internal/config"
	"hookloop/internal/webhook"
)

// Request is what a token says.
type Request struct {
	Subject string
	Tenants []string // "*": every tenant
	Scopes  []string
	// Endpoints and Owner confine the token to those endpoints of its one tenant; empty: it is not.
	Endpoints []string
	Owner     string
	TTL       time.Duration
	Now       time.Time
}

// Expiry is when the token ends; a JWT counts in seconds.
func (t Request) Expiry() time.Time { return t.Now.Add(t.TTL).UTC().Truncate(time.Second) }

// Claims are those of a token that a gateway knows, beside the registered ones.
type Claims struct {
	jwt.RegisteredClaims

	Tenants []string `json:"tenants"`
	Scope   string   `json:"scope"`

	Endpoints []string `json:"endpoints,omitempty"`
	Owner     string   `json:"owner,omitempty"`
}

// Sign signs a token the gateway that has the same config accepts.
func Sign(j config.JWT, t Request) (string, error) {
	if len(j.Secret) < webhook.MinTokenSecret {
		return "", fmt.Errorf("the secret to sign tokens with has %d bytes, HS256 needs at least %d", len(j.Secret), webhook.MinTokenSecret)
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: j.Issuer, Audience: jwt.ClaimStrings{j.Audience}, Subject: t.Subject,
			IssuedAt: jwt.NewNumericDate(t.Now), ExpiresAt: jwt.NewNumericDate(t.Expiry()),
		},
		Tenants: t.Tenants, Scope: strings.Join(t.Scopes, " "), Endpoints: t.Endpoints, Owner: t.Owner,
	}).SignedString([]byte(j.Secret))
}

// NewSecret draws 32 bytes, in base64 so that a person can export it as HOOKLOOP_JWT_SECRET.
func NewSecret() ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return []byte(base64.RawURLEncoding.EncodeToString(key)), nil
}

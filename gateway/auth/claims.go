package auth

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// claims are what we read of a token.
type claims struct {
	jwt.RegisteredClaims

	tenants []string
	scopes  []string
}

// shapeError names a claim that is written in another form than it may have.
type shapeError struct{ claim, want string }

func (e *shapeError) Error() string { return "has a claim " + e.claim + " that is not " + e.want }

// errCritical is about a token that is good only to readers who know an extension (RFC 7515,
// section 4.1.11). Hookloop knows none.
var errCritical = errors.New("crit")

// UnmarshalJSON reads each claim for itself, so that one of the wrong shape can be named. Identity
// providers write scope as a text (RFC 8693) or as a list, and a single tenant either way.
func (c *claims) UnmarshalJSON(raw []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	const aText, aTime, aList = "a text", "a number of seconds since 1970", "a text or a list of texts"
	for _, claim := range []struct {
		name, want string
		into       any
	}{
		{"iss", aText, &c.Issuer},
		{"sub", aText, &c.Subject},
		{"aud", aList, &c.Audience},
		{"exp", aTime, &c.ExpiresAt},
		{"nbf", aTime, &c.NotBefore},
		{"iat", aTime, &c.IssuedAt},
		{"tenants", aList, (*texts)(&c.tenants)},
		{"scope", aList, (*texts)(&c.scopes)},
	} {
		value, given := all[claim.name]
		quoted := claim.want == aTime && strings.HasPrefix(string(value), `"`) // NumericDate would take it
		if given && (quoted || json.Unmarshal(value, claim.into) != nil) {
			return &shapeError{claim.name, claim.want}
		}
	}
	return nil
}

// texts are a list of them, or what blanks separate in one.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = strings.Fields(one)
		return nil
	}
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	*t = nil
	for _, s := range list {
		if s == nil {
			return errors.New("null in a list of texts")
		}
		*t = append(*t, *s)
	}
	return nil
}

// Validate is called once the signature and the registered claims are found good.
func (c *claims) Validate() error {
	if c.Subject == "" {
		return jwt.ErrTokenRequiredClaimMissing
	}
	return nil
}

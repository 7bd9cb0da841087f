package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// claims are what we read of a token.
type claims struct {
	jwt.RegisteredClaims

	tenants   []string
	scopes    []string
	endpoints []string // empty: not confined to some
	owner     string   // empty: not confined to an owner's
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
		{"endpoints", aList, (*texts)(&c.endpoints)},
		{"owner", aText, &c.owner},
	} {
		value, given := all[claim.name]
		quoted := claim.want == aTime && strings.HasPrefix(string(value), `"`) // NumericDate would take it
		if given && (quoted || json.Unmarshal(value, claim.into) != nil) {
			return &shapeError{claim.name, claim.want}
		}
	}
	return c.confine(all)
}

// confine sees to it that a token which is meant to be confined is. An empty claim would confine it
// to nothing, or to no owner's: it is a mistake of who made it.
func (c *claims) confine(all map[string]json.RawMessage) error {
	_, some := all["endpoints"]
	_, owned := all["owner"]
	for _, misspelt := range []string{"endpoint", "owners"} { // it would confine to nothing
		if _, given := all[misspelt]; given {
			return &shapeError{misspelt, "known here: endpoints and owner confine a token"}
		}
	}
	switch {
	case some && len(c.endpoints) == 0:
		return &shapeError{"endpoints", "a list of at least one endpoint's id"}
	case len(c.endpoints) > maxEndpoints:
		return &shapeError{"endpoints", fmt.Sprintf("a list of at most %d ids", maxEndpoints)}
	case owned && (c.owner == "" || len(c.owner) > maxOwner):
		return &shapeError{"owner", fmt.Sprintf("a text of 1 to %d bytes", maxOwner)}
	case (some || owned) && (len(c.tenants) != 1 || c.tenants[0] == api.EveryTenant):
		return &shapeError{"tenants", "one tenant, as a token with the claim endpoints or owner has it"}
	case strings.HasPrefix(c.Subject, webhook.PortalActor):
		return &shapeError{"sub", "free: what begins with " + webhook.PortalActor + " names portal links"}
	}
	return nil
}

// Bounds of what a token may be confined to: each endpoint of a list is read for it.
const (
	maxEndpoints = 100
	maxOwner     = 128 // bytes, as an endpoint's
)

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

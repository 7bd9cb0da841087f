package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// Config says which tokens are believed. Exactly one of Secret, JWKSFile and JWKSURL is given:
// it decides the algorithms, a token never does.
type Config struct {
	Secret   []byte  // HS256, at least 32 bytes
	JWKSFile string  // RS256, ES256, EdDSA; read once
	JWKSURL  string  // the same; read now, hourly, and when a token names a key not seen yet; its keys count for a day while it cannot be read
	Fetch    Fetcher // reads JWKSURL; required with it
	Issuer   string
	Audience string
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // told when the JWKS URL does not answer; nil: nothing is told
}

// Verifier believes JSON Web Tokens by an Config.
type Verifier struct {
	parser *jwt.Parser
	keys   keySource
}

// New checks the configuration and reads the keys. A JWKS URL that does not answer is no
// error: until it does, Verify says Unavailable.
func New(c Config) (*Verifier, error) {
	if c.Issuer == "" || c.Audience == "" {
		return nil, errors.New("auth: Issuer and Audience are required")
	}
	keys, err := newKeySource(c)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(keys.algorithms), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience), jwt.WithLeeway(leeway),
	}
	if c.Now != nil {
		options = append(options, jwt.WithTimeFunc(c.Now))
	}
	return &Verifier{parser: jwt.NewParser(options...), keys: keys}, nil
}

// Close stops refreshing the keys.
func (v *Verifier) Close() { v.keys.stop() }

// leeway is how far the clocks of an issuer and of ours may be apart.
const leeway = time.Minute

// Verify says who the token speaks for.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, withoutExtensions(v.keys.find(ctx)))
	if errors.Is(err, jwt.ErrTokenSignatureInvalid) && v.keys.again(ctx) { // its key may have changed under the same name, or have none
		c = claims{}
		_, err = v.parser.ParseWithClaims(token, &c, withoutExtensions(v.keys.find(ctx)))
	}
	if away, ok := errors.AsType[*AwayError](err); ok {
		return Principal{}, away
	}
	if err != nil {
		return Principal{}, webhook.Errorf(api.Unauthenticated, "the token %s", why(err, c))
	}
	who := Principal{Subject: c.Subject, Tenants: c.tenants, Scopes: c.scopes, Confined: Confined{Endpoints: c.endpoints, Owner: c.owner}}
	if who.IsConfined() {
		who.Subject = actor(who.Of(), c.Subject)
	}
	return who, nil
}

// actor names who acts for the owner of endpoints: whose they are, and by which link or as whom.
func actor(of, by string) string { return webhook.PortalActor + of + " (" + by + ")" }

// withoutExtensions refuses a token that demands an extension.
func withoutExtensions(find jwt.Keyfunc) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		if _, critical := t.Header["crit"]; critical {
			return nil, errCritical
		}
		return find(t)
	}
}

// why says what is wrong in our words: those of the library may quote the token.
func why(err error, c claims) string {
	if shape, ok := errors.AsType[*shapeError](err); ok {
		return shape.Error()
	}
	switch {
	case errors.Is(err, errCritical):
		return "demands an extension (crit) that is not known here"
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "is not a JSON Web Token"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return "has a signature or an algorithm that is not accepted here"
	case errors.Is(err, jwt.ErrTokenUnverifiable):
		return "names a key or an algorithm that is not known here"
	case errors.Is(err, jwt.ErrTokenExpired):
		return "has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "is not valid yet"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "lacks the claim " + missing(c)
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "is meant for another audience"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return "was given out by another issuer"
	}
	return "has claims that are not valid"
}

func missing(c claims) string {
	switch {
	case c.ExpiresAt == nil:
		return "exp"
	case c.Issuer == "":
		return "iss"
	case len(c.Audience) == 0:
		return "aud"
	}
	return "sub"
}

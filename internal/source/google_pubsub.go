package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hookloop/internal/webhook"
)

// googlePubsub is Pub/Sub pushing with a token of Google's about who pushes. Any customer of Google
// can have one made for our audience, so it is Email that keeps others out. The token says nothing
// about the body.
type googlePubsub struct {
	// Audience is what the subscription is set to; by default the URL it pushes to.
	Audience string   `json:"audience"`
	Email    string   `json:"email"` // the service account that pushes
	Issuers  []string `json:"issuers,omitempty"`

	keys Keys
}

// googleIssuers is how Google has named itself.
var googleIssuers = []string{"https://accounts.google.com", "accounts.google.com"}

// maxIssuedAhead is how far Google's clock may be ahead of ours.
const maxIssuedAhead = time.Minute

func (s *googlePubsub) check() error {
	switch {
	case s.Audience == "":
		return webhook.Invalidf("config.audience", "must be the audience of the push subscription")
	case s.Email == "":
		return webhook.Invalidf("config.email", "must be the service account of the push subscription: any customer of Google can get a token for the audience")
	case slices.Contains(s.Issuers, ""):
		return webhook.Invalidf("config.issuers", "must not hold an empty one")
	}
	return nil
}

// googleClaims is what a token says.
type googleClaims struct {
	jwt.RegisteredClaims

	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
}

func (s *googlePubsub) Verify(ctx context.Context, r Request) error {
	token, err := bearer(r)
	if err != nil {
		return err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}),
		jwt.WithTimeFunc(func() time.Time { return r.Now }),
		jwt.WithExpirationRequired(),
		jwt.WithAudience(s.Audience),
		jwt.WithStrictDecoding(),
	)
	var claims googleClaims
	_, err = parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		return googleKey(ctx, s.keys, id, r.Now)
	})
	if err != nil {
		return tokenFailure(err)
	}
	return s.verifyClaims(claims, r.Now)
}

// head leaves the token to Verify, which may have to fetch a key for it.
func (s *googlePubsub) head(r Request) error {
	_, err := bearer(r)
	return err
}

func bearer(r Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", unverified("there is no bearer token")
	}
	if token = strings.TrimSpace(token); strings.Count(token, ".") != 2 {
		return "", unverified("the token is not a JSON Web Token")
	}
	return token, nil
}

// tokenFailure says what is wrong with a token in words of ours: the library's quote it.
func tokenFailure(err error) error {
	if refused, ok := errors.AsType[*Refusal](err); ok {
		return refused
	}
	switch {
	case errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, jwt.ErrTokenMalformed):
		return unverified("the token is not a JSON Web Token")
	case errors.Is(err, jwt.ErrTokenExpired):
		return unverified("the token has expired")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return unverified("the token is for another audience")
	case errors.Is(err, jwt.ErrTokenInvalidClaims):
		return unverified("the token lacks a claim, or is not valid yet")
	}
	return unverified("the token is not signed with RS256 by Google")
}

func (s *googlePubsub) verifyClaims(c googleClaims, now time.Time) error {
	issuers := s.Issuers
	if len(issuers) == 0 {
		issuers = googleIssuers
	}
	switch {
	case !slices.Contains(issuers, c.Issuer):
		return unverified("the token is another issuer's")
	case c.IssuedAt == nil || c.IssuedAt.After(now.Add(maxIssuedAhead)):
		return unverified("the token was issued in the future")
	case c.Email != s.Email:
		return unverified("the token is another service account's")
	case !c.EmailVerified:
		return unverified("the token's e-mail address is not verified")
	}
	return nil
}

// Read finds one message. A subscription that sends messages unwrapped must be set to write their
// metadata: nothing else tells two equal messages apart.
func (s *googlePubsub) Read(r Request) (Received, error) {
	if id := r.Header.Get("X-Goog-Pubsub-Message-Id"); id != "" {
		subscription := r.Header.Get("X-Goog-Pubsub-Subscription-Name")
		if !printable(id) || !printable(subscription) || !json.Valid(r.Body) {
			return Received{}, unreadable("an unwrapped message can be passed on if it is JSON and has its metadata")
		}
		return only(message(subscription, id, r.Body))
	}
	push := readObject(r.Body)
	m := readObject(push["message"])
	id := cmp.Or(word(m["messageId"]), word(m["message_id"])) // Google writes both
	if id == "" || push.text("subscription") == "" {
		return Received{}, unreadable("the body is not a message with a messageId and its subscription")
	}
	return only(message(push.text("subscription"), id, r.Body))
}

func message(subscription, id string, data []byte) Item {
	return Item{Type: "pubsub.message", Key: subscription + ":" + id, Data: data}
}

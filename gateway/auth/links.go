package auth

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// linkPrefix begins the tokens of portal links.
const linkPrefix = "hkp_"

const (
	// linkFresh is how long a gateway believes what it has read of a link: within that a revocation
	// counts at every gateway, and at the one that revoked at once.
	linkFresh = 5 * time.Second
	// keptLinks bounds the links that a gateway remembers, some 500 bytes each.
	keptLinks = 10_000
)

var linkID = regexp.MustCompile("^" + webhook.PortalLinkPrefix + "[0-9a-z]{26}$")

// LinkStore keeps portal links. Its errors carry webhook.NotFound; one without a code means that it
// is out of reach.
type LinkStore interface {
	PortalLink(ctx context.Context, id string) (webhook.PortalLink, error)
}

// Verifying says who a bearer token speaks for; a Verifier does. A token that proves nothing is an
// api.Unauthenticated error whose message says why and never quotes the token.
type Verifying interface {
	Verify(ctx context.Context, token string) (Principal, error)
}

// Links believes the tokens of portal links, and leaves all others to a verifier of JSON Web
// Tokens. The token of a link is its id and what a key makes of it: what the registry keeps proves
// nothing, and strangers' guesses do not reach it.
type Links struct {
	store LinkStore
	key   []byte
	now   func() time.Time
	other Verifying
	kept  *lru.Cache[string, keptLink]
}

type keptLink struct {
	webhook.PortalLink

	readAt time.Time
}

// NewLinks takes a key that all gateways share.
func NewLinks(store LinkStore, key []byte, now func() time.Time, other Verifying) (*Links, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "hookloop portal links", sha256.Size)
	if err != nil {
		return nil, err
	}
	kept, err := lru.New[string, keptLink](keptLinks)
	return &Links{store: store, key: derived, now: now, other: other, kept: kept}, err
}

// Token is the token of a link.
func (l *Links) Token(id string) string {
	return linkPrefix + strings.TrimPrefix(id, webhook.PortalLinkPrefix) + "_" + l.proof(id)
}

func (l *Links) proof(id string) string {
	mac := hmac.New(sha256.New, l.key)
	_, _ = mac.Write([]byte(id)) // a hash does not fail
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Forget has the next use of a link read it anew: it was revoked here.
func (l *Links) Forget(id string) { l.kept.Remove(id) }

// Verify says who a token speaks for.
func (l *Links) Verify(ctx context.Context, token string) (Principal, error) {
	rest, ok := strings.CutPrefix(token, linkPrefix)
	if !ok {
		return l.other.Verify(ctx, token)
	}
	name, proof, _ := strings.Cut(rest, "_")
	id := webhook.PortalLinkPrefix + name
	if !linkID.MatchString(id) || !hmac.Equal([]byte(proof), []byte(l.proof(id))) {
		return Principal{}, errLink("is not one of ours")
	}
	link, err := l.read(ctx, id)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		return Principal{}, errLink("has ended")
	case err != nil:
		return Principal{}, &AwayError{what: "the registry", cause: err}
	case !link.RevokedAt.IsZero():
		return Principal{}, errLink("was revoked")
	case !link.Live(l.now()):
		return Principal{}, errLink("has expired")
	}
	to := Confined{Owner: link.Owner}
	if link.EndpointID != "" {
		to = Confined{Endpoints: []string{link.EndpointID}}
	}
	if !to.IsConfined() { // a row that was damaged must not open everything
		return Principal{}, errLink("is for no endpoint")
	}
	return Principal{Subject: actor(link.Of(), link.ID), Tenants: []string{link.Tenant}, Scopes: link.Scopes, Confined: to}, nil
}

func (l *Links) read(ctx context.Context, id string) (webhook.PortalLink, error) {
	if k, ok := l.kept.Get(id); ok && l.now().Sub(k.readAt).Abs() < linkFresh {
		return k.PortalLink, nil
	}
	readAt := l.now()
	link, err := l.store.PortalLink(ctx, id)
	if err != nil {
		return link, err
	}
	l.kept.Add(id, keptLink{link, readAt})
	return link, nil
}

func errLink(why string) error { return webhook.Errorf(api.Unauthenticated, "this link %s", why) }

// errConfined is about a token at a door that it does not open at all.
var errConfined = errors.New("this token is for some endpoints alone")

// Unconfined refuses tokens that are confined to endpoints, for doors that are not made for them.
func Unconfined(v Verifying) func(ctx context.Context, token string) (Principal, error) {
	return func(ctx context.Context, token string) (Principal, error) {
		who, err := v.Verify(ctx, token)
		if err == nil && who.IsConfined() {
			return Principal{}, errConfined
		}
		return who, err
	}
}

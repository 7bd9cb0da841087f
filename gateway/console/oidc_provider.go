package console

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"hookloop/internal/published"
)

// OIDC signs people in at an OpenID Connect provider, with a code and PKCE. The provider's access
// token, or else its ID token, must be one that the API believes: the session has it and no other,
// and ends with it.
type OIDC struct {
	Issuer       string // the provider's
	ClientID     string
	ClientSecret string       // empty: the client is public
	Redirect     string       // where the provider leads back to: the console's address and OIDCPath
	Scopes       []string     // asked for beside openid
	HTTP         *http.Client //nolint:forbidigo // internal/sender makes it: bounded in time and size, it follows no redirect
}

const (
	// providerFresh is how long it counts where a provider's addresses are, and providerOldest how
	// long while it does not answer.
	providerFresh  = time.Hour
	providerOldest = 24 * time.Hour
	// maxCause bounds what the log keeps of a failure, in bytes: it may quote the provider.
	maxCause = 300
)

// oidcProvider is what a provider says of itself.
type oidcProvider struct {
	*oidc.Provider

	EndSession string // where a person signs out there; empty: it says nothing of that
}

// oidcSignIn is an OIDC in use. The provider is first asked when a person wants to sign in: it may
// be away when the gateway starts.
type oidcSignIn struct {
	OIDC

	now  func() time.Time
	said *published.Document[oidcProvider]
}

func newOIDCSignIn(c OIDC, now func() time.Time) *oidcSignIn {
	return &oidcSignIn{OIDC: c, now: now, said: published.New(published.Config[oidcProvider]{
		Fresh: providerFresh, Oldest: providerOldest,
		Load: func(ctx context.Context) (p oidcProvider, err error) {
			// The provider keeps the client, and fetches its keys with it later.
			if p.Provider, err = oidc.NewProvider(oidc.ClientContext(ctx, c.HTTP), c.Issuer); err != nil {
				return p, err
			}
			var more struct {
				EndSession string `json:"end_session_endpoint"`
			}
			err = p.Claims(&more)
			p.EndSession = more.EndSession
			return p, err
		},
	})}
}

// oidcError is a sign-in that failed. People read what it says; the cause is for the log.
type oidcError struct {
	says  string
	cause error
}

func (e *oidcError) Error() string { return e.says }
func (e *oidcError) Unwrap() error { return e.cause }

// Cause is what happened, without the answers that a provider gave to a code: they may hold what is
// secret.
func (e *oidcError) Cause() string {
	text := e.says
	if refused, ok := errors.AsType[*oauth2.RetrieveError](e.cause); ok {
		text = "the token endpoint refused: " + refused.ErrorCode
		if refused.Response != nil {
			text += " (" + refused.Response.Status + ")"
		}
	} else if e.cause != nil {
		text = e.cause.Error()
	}
	return strings.ToValidUTF8(text[:min(len(text), maxCause)], "")
}

func (o *oidcSignIn) find(ctx context.Context) (oidcProvider, error) {
	p, err := o.said.Find(ctx, o.now(), func(oidcProvider) bool { return true })
	if err != nil {
		return p, &oidcError{"your organisation's sign-in does not answer; try again in a moment, or paste a token", err}
	}
	return p, nil
}

// endSession is where a person signs out at the provider.
func (o *oidcSignIn) endSession(ctx context.Context) (string, error) {
	p, err := o.find(ctx)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(p.EndSession)
	if err != nil || p.EndSession == "" {
		return "", errors.New("your organisation's sign-in names no address to sign out at; sign out on its own pages")
	}
	query := u.Query()
	query.Set("client_id", o.ClientID)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

func (o *oidcSignIn) client(p oidcProvider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: o.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, o.Scopes...),
	}
}

// exchange gives the tokens for the code that a person brought back. The ID token is the
// provider's, for this client and for this visit; whether either token may do anything, the API
// says.
func (o *oidcSignIn) exchange(ctx context.Context, back url.Values, v oidcVisit) (access, id string, err error) {
	if code := back.Get("error"); code != "" {
		return "", "", &oidcError{"your organisation's sign-in refused", fmt.Errorf("the provider refused: %q", code)}
	}
	if iss := back.Get("iss"); iss != "" && iss != o.Issuer { // RFC 9207
		return "", "", &oidcError{"another sign-in answered than was asked", fmt.Errorf("iss is %q", iss)}
	}
	p, err := o.find(ctx)
	if err != nil {
		return "", "", err
	}
	tokens, err := o.client(p).Exchange(oidc.ClientContext(ctx, o.HTTP), back.Get("code"), oauth2.VerifierOption(v.Verifier))
	if err != nil {
		return "", "", &oidcError{"your organisation's sign-in gave no token; begin again", err}
	}
	id, _ = tokens.Extra("id_token").(string)
	if err := o.check(ctx, p, id, tokens.AccessToken, v.Nonce); err != nil {
		return "", "", &oidcError{"your organisation's sign-in gave a token that is not for this console", err}
	}
	return tokens.AccessToken, id, nil
}

// check says what is wrong with an ID token: its signature, issuer, audience and times, for whom it
// was made, whether this visit asked for it, and whether the access token came with it.
func (o *oidcSignIn) check(ctx context.Context, p oidcProvider, raw, access, nonce string) error {
	id, err := p.Verifier(&oidc.Config{ClientID: o.ClientID, Now: o.now}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	var more struct {
		Party string `json:"azp"`
	}
	if err := id.Claims(&more); err != nil {
		return err
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return errors.New("the ID token has another nonce")
	case more.Party != "" && more.Party != o.ClientID, more.Party == "" && len(id.Audience) > 1:
		return errors.New("the ID token was made for another client (azp)")
	case id.AccessTokenHash != "":
		return id.VerifyAccessToken(access)
	}
	return nil
}

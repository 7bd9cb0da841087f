// Package auth says who asks: it verifies bearer tokens and knows what they allow. Which operation
// needs which scope the gateway decides, which calls it, and cmd for Temporal's codec server.
package auth

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// Principal is who a token speaks for, and what it may do.
type Principal struct {
	Subject  string
	Tenants  []string // api.EveryTenant stands for all
	Scopes   []string
	Confined // to some endpoints; zero: it is not
}

// Allow refuses what the principal may not do.
func (p Principal) Allow(tenant, scope string) error {
	if !slices.Contains(p.Tenants, tenant) && !p.EveryTenant() {
		return webhook.Errorf(api.WrongTenant, "the token does not speak for this tenant")
	}
	if !p.Holds(scope) {
		return webhook.Errorf(api.MissingScope, "the token lacks the scope %s", scope)
	}
	return nil
}

// EveryTenant says whether the token speaks for all of them.
func (p Principal) EveryTenant() bool { return slices.Contains(p.Tenants, api.EveryTenant) }

// Holds says whether the token has a scope.
func (p Principal) Holds(scope string) bool { return slices.Contains(p.Scopes, scope) }

// Confined says to which endpoints of its one tenant a principal is confined. Of two bounds both
// hold.
type Confined struct {
	Endpoints []string // ids; empty: any
	Owner     string   // empty: any
}

// IsConfined says whether there is a bound at all.
func (c Confined) IsConfined() bool { return len(c.Endpoints) > 0 || c.Owner != "" }

// Reaches says whether an endpoint is one of those.
func (c Confined) Reaches(id, owner string) bool {
	return (len(c.Endpoints) == 0 || slices.Contains(c.Endpoints, id)) && (c.Owner == "" || c.Owner == owner)
}

// Of names whose endpoints they are: the owner's, or one by its id.
func (c Confined) Of() string {
	if c.Owner == "" && len(c.Endpoints) > 0 {
		return c.Endpoints[0]
	}
	return c.Owner
}

// principalKey is where a request's context keeps its Principal.
type principalKey struct{}

// With notes in a request's context who asks, for the handlers, the history and the change log.
func With(ctx context.Context, who Principal) context.Context {
	ctx = context.WithValue(ctx, principalKey{}, who)
	return webhook.WithActor(ctx, webhook.Actor{Name: who.Subject, Via: webhook.ViaAPI})
}

// Of says who asks.
func Of(ctx context.Context) Principal {
	who, _ := ctx.Value(principalKey{}).(Principal)
	return who
}

// Bearer is the token in a header Authorization.
func Bearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", webhook.Errorf(api.Unauthenticated, "the header Authorization: Bearer <token> is missing")
	}
	return token, nil
}

// AwayError says that what tells of tokens is out of reach, so that nothing can be said of one.
type AwayError struct {
	what  string // empty: the keys of JSON Web Tokens
	cause error
}

func (e *AwayError) Error() string { return e.Away() + ": " + e.cause.Error() }
func (e *AwayError) Unwrap() error { return e.cause }

// Away names what is out of reach.
func (e *AwayError) Away() string {
	return cmp.Or(e.what, "the server that publishes the keys of tokens")
}

package gateway

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/internal/webhook"
)

// The scopes a token may hold.
const (
	EventsRead     = "events:read"
	EventsWrite    = "events:write"
	EndpointsRead  = "endpoints:read"
	EndpointsWrite = "endpoints:write"
	ApprovalsRead  = "approvals:read"
	ApprovalsWrite = "approvals:write"
	SourcesWrite   = "sources:write"
)

// TokenVerifier says who a bearer token speaks for. A token that proves nothing is an
// Unauthenticated error whose message says why and never quotes the token.
type TokenVerifier interface {
	Verify(ctx context.Context, token string) (Principal, error)
}

// Principal is who a token speaks for, and what it may do.
type Principal struct {
	Subject string
	Tenants []string // "*" stands for all
	Scopes  []string
}

// allow refuses what the principal may not do.
func (p Principal) allow(tenant, scope string) error {
	if !slices.Contains(p.Tenants, tenant) && !slices.Contains(p.Tenants, "*") {
		return webhook.Errorf(WrongTenant, "the token does not speak for this tenant")
	}
	if !slices.Contains(p.Scopes, scope) {
		return webhook.Errorf(MissingScope, "the token lacks the scope %s", scope)
	}
	return nil
}

// requires is the middleware of an operation that needs a scope. It runs before anything of the
// request but its head is read: strangers learn nothing and cost nothing.
func (g *Gateway) requires(scope string) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who, err := g.authorize(c, scope)
		if err != nil {
			g.fail(c, err)
			return
		}
		next(huma.WithValue(c, principalKey{}, who))
	}
}

func (g *Gateway) authorize(c huma.Context, scope string) (Principal, error) {
	token, err := bearer(c.Header("Authorization"))
	if err != nil {
		return Principal{}, err
	}
	who, err := g.auth.Verify(c.Context(), token)
	if err != nil {
		return Principal{}, err
	}
	tenant := c.Param("tenant")
	if err := who.allow(tenant, scope); err != nil {
		return Principal{}, err
	}
	return who, webhook.CheckTenant(tenant)
}

// principalKey is where a request's context keeps its Principal.
type principalKey struct{}

// subject names who asks, for the history.
func subject(ctx context.Context) string {
	who, _ := ctx.Value(principalKey{}).(Principal)
	return who.Subject
}

// holds says whether the token of a request has a scope.
func holds(ctx context.Context, scope string) bool {
	who, _ := ctx.Value(principalKey{}).(Principal)
	return slices.Contains(who.Scopes, scope)
}

func bearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", webhook.Errorf(Unauthenticated, "the header Authorization: Bearer <token> is missing")
	}
	return token, nil
}

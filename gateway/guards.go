package gateway

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"hookloop/gateway/auth"
	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

// requires is the middleware of an operation that needs a scope. It runs before anything of the
// request but its head is read: strangers learn nothing and cost nothing.
func (g *Gateway) requires(scope, operation string) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who, err := g.authorize(c, scope)
		if err == nil && who.IsConfined() {
			err = g.confined.Call(c, operation, who)
		}
		if err != nil {
			g.fail(c, err)
			return
		}
		next(huma.WithContext(c, auth.With(c.Context(), who)))
	}
}

func (g *Gateway) authorize(c huma.Context, scope string) (auth.Principal, error) {
	token, err := auth.Bearer(c.Header("Authorization"))
	if err != nil {
		return auth.Principal{}, err
	}
	who, err := g.auth.Verify(c.Context(), token)
	if err != nil {
		return auth.Principal{}, err
	}
	tenant := c.Param("tenant")
	if err := who.Allow(tenant, scope); err != nil {
		return auth.Principal{}, err
	}
	return who, webhook.CheckTenant(tenant)
}

// subject names who asks, for the history.
func subject(ctx context.Context) string { return auth.Of(ctx).Subject }

// cost is what an operation takes of a tenant's quotas, before anything of the request but its head
// is read.
type cost int

const (
	cheap  cost = iota
	posts       // it accepts, or starts deliveries again
	costly      // it reads much
	makes       // it makes an endpoint or a source: its handler counts them
)

// charges is the middleware of an operation with a cost.
func (g *Gateway) charges(c cost) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		tenant := ctx.Param("tenant")
		switch c {
		case posts:
			if err := g.cfg.Quotas.Post(tenant, 1); err != nil {
				g.fail(ctx, err)
				return
			}
		case costly:
			done, err := g.cfg.Quotas.Read(ctx.Context(), tenant)
			if err != nil {
				g.fail(ctx, err)
				return
			}
			defer done()
		case cheap, makes:
		}
		next(ctx)
	}
}

// admits is the middleware of an operation that accepts or redelivers: what would be refused anyway
// is refused before its body is read.
func (g *Gateway) admits(c huma.Context, next func(huma.Context)) {
	if err := g.gate.Full(c.Param("tenant")); err != nil {
		g.fail(c, err)
		return
	}
	next(c)
}

// fail answers with a problem from within a middleware.
func (g *Gateway) fail(c huma.Context, err error) {
	problem.Of(c.Context(), err, g.cfg.Logger).Write(humagin.Unwrap(c))
}

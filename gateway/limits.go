package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/gateway/problem"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

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
			if err := g.quotas.Post(tenant, 1); err != nil {
				g.fail(ctx, err)
				return
			}
		case costly:
			done, err := g.quotas.Read(ctx.Context(), tenant)
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

// roomForEndpoint and roomForSource refuse one more than a tenant may have.
func (g *Gateway) roomForEndpoint(ctx context.Context, tenant string) error {
	has, err := g.registry.CountEndpoints(ctx, tenant)
	if err != nil {
		return fmt.Errorf("endpoints: %w", problem.Registry(err))
	}
	return g.quotas.Room(tenant, quota.Endpoints, has)
}

func (g *Gateway) roomForSource(ctx context.Context, tenant string) error {
	has, err := g.sources.CountSources(ctx, tenant)
	if err != nil {
		return fmt.Errorf("sources: %w", problem.Registry(err))
	}
	return g.quotas.Room(tenant, quota.Sources, has)
}

// roomUnlessMade lets a repeat of what an Idempotency-Key has made through: it makes nothing.
func (g *Gateway) roomUnlessMade(
	ctx context.Context, tenant, key string, c webhook.Creation,
	room func(ctx context.Context, tenant string) error,
	created func(ctx context.Context, tenant string, c webhook.Creation) (bool, error),
) error {
	spent := room(ctx, tenant)
	if spent == nil || key == "" {
		return spent
	}
	made, err := created(ctx, tenant, c)
	switch {
	case err != nil:
		return problem.Registry(err)
	case made:
		return nil
	}
	return spent
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

// admit gives a place among the acceptances; leave gives it back, with what came of it. A patient
// one waits for as long as ctx does.
func (g *Gateway) admit(ctx context.Context, tenant string, patient bool) (leave func(error), err error) {
	place, err := g.gate.Enter(ctx, tenant, patient)
	if err != nil {
		return nil, err
	}
	return func(err error) {
		place.Leave(errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled))
	}, nil
}

package source

import (
	"context"
	"fmt"

	"golang.org/x/sync/singleflight"
)

// shared runs f once for all callers that ask for the same name at the same time. f goes on when
// the first caller gives up: the others wait for it, and its result is kept.
func shared[T any](ctx context.Context, g *singleflight.Group, name string, f func(context.Context) (T, error)) (T, error) {
	detached := context.WithoutCancel(ctx)
	done := g.DoChan(name, func() (any, error) { return f(detached) })
	var none T
	select {
	case r := <-done:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, unavailable(ctx.Err())
	}
}

// unavailable says what keeps the keys out of reach.
func unavailable(why error) error { return fmt.Errorf("%w: %w", ErrUnavailable, why) }

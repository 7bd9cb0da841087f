package webhook

import "context"

// Actor is who asks for something, as Hookloop knows by itself.
type Actor struct {
	Name string
	Via  AuditVia
}

// EveryTenant is whose lines of the change log are about no tenant alone.
const EveryTenant = "*"

type actorKey struct{}

// WithActor says on whose behalf all that is done with the context is done: the change log of
// settings and Temporal's histories name them.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf is on whose behalf something is done; without a word of it, Hookloop's.
func ActorOf(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{Name: ByHookloop, Via: ViaHookloop}
}

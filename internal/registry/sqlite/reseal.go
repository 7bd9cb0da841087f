package sqlite

import (
	"context"

	"hookloop/internal/registry"
)

// Reseal seals with the primary key what others have sealed.
func (r *Registry) Reseal(ctx context.Context, progress func(registry.Resealed)) (registry.Resealed, error) {
	done, err := r.sealer.Reseal(ctx, r.writer, func(query string) string { return query }, progress)
	if err != nil {
		return done, explain(err)
	}
	return done, nil
}

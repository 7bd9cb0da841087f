package postgres

import (
	"context"
	"strconv"
	"strings"

	"hookloop/internal/registry"
)

// Reseal seals with the primary key what others have sealed.
func (r *Registry) Reseal(ctx context.Context, progress func(registry.Resealed)) (registry.Resealed, error) {
	done, err := r.sealer.Reseal(ctx, r.db, numbered, progress)
	if err != nil {
		return done, explain(err)
	}
	return done, nil
}

// numbered writes a query's parameters, each a question mark, as PostgreSQL wants them: $1, $2.
func numbered(query string) string {
	var b strings.Builder
	for n, part := range strings.Split(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
	}
	return b.String()
}

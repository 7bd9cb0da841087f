package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hookloop/internal/namespace"
	"hookloop/internal/visibility"
)

// visibilityOptions say what to do with the indexes of Temporal's lists: nothing, unless asked.
type visibilityOptions struct{ lean, full bool }

func (o visibilityOptions) check(url string) error {
	if (o.lean || o.full) && url == "" {
		return errors.New("HOOKLOOP_TEMPORAL_VISIBILITY is required: the PostgreSQL URL of Temporal's visibility database")
	}
	return nil
}

// visibilityResult lists indexes of Temporal's lists with the statements that make them.
type visibilityResult struct {
	Dropped  []visibility.Index `json:"dropped_indexes,omitempty"`
	Restored []visibility.Index `json:"restored_indexes,omitempty"`
	lean     bool
	full     bool
}

func (o visibilityOptions) run(ctx context.Context, c namespace.Cluster, url string) (r visibilityResult, err error) {
	r.lean, r.full = o.lean, o.full
	switch {
	case o.lean:
		columns, err := namespace.Columns(ctx, c)
		if err != nil {
			return r, err
		}
		r.Dropped, err = visibility.Lean(ctx, url, columns)
		if err != nil {
			return r, fmt.Errorf("HOOKLOOP_TEMPORAL_VISIBILITY: %w", err)
		}
	case o.full:
		if r.Restored, err = visibility.Full(ctx, url); err != nil {
			return r, fmt.Errorf("HOOKLOOP_TEMPORAL_VISIBILITY: %w", err)
		}
	}
	return r, nil
}

func (r visibilityResult) show(w io.Writer) (err error) {
	switch {
	case r.lean && len(r.Dropped) == 0:
		_, err = fmt.Fprintln(w, "visibility: it is lean")
	case r.lean:
		_, err = fmt.Fprintf(w, "visibility: %d indexes dropped; hookloop migrate --full-visibility brings them back:\n", len(r.Dropped))
	case r.full:
		_, err = fmt.Fprintf(w, "visibility: %d indexes brought back\n", len(r.Restored))
	}
	for _, i := range r.Dropped {
		if err == nil {
			_, err = fmt.Fprintln(w, "  "+i.Name)
		}
	}
	return err
}

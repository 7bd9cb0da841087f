package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.temporal.io/api/serviceerror"

	"hookloop/internal/archive"
)

// The pause between two looks for what has ended meanwhile: five times as long as the look took, within
// bounds. So following costs a sixth of what Temporal and disk have to give, or less.
const (
	followLoad  = 5
	followLeast = 10 * time.Second
	followMost  = time.Minute
)

// follow runs again and again until ctx ends, which is its good end. While Temporal is away it waits.
func follow(ctx context.Context, a *archive.Archiver, since time.Time, o archiveOptions, stdout, stderr io.Writer) error {
	for first := true; ; first = false {
		began := time.Now()
		r, err := a.Run(ctx, since, time.Time{})
		if r.Archived > 0 || r.Late {
			if err := showArchived(stdout, r, o); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			since = time.Time{} // from now on, where this one stopped
		} else if _, away := errors.AsType[serviceerror.ServiceError](err); away {
			fmt.Fprintln(stderr, "hookloop: "+err.Error()+"; trying again")
		} else {
			return err
		}
		rest := min(max(followLeast, followLoad*time.Since(began)), followMost)
		if first { // it may have had a month to copy
			rest = followLeast
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
	}
}

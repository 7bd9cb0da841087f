package places_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/places"
)

// TestHalfForOne: one tenant has half of the places however many it asks for, and another finds one
// at once.
func TestHalfForOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := places.New(4, time.Second)
		began := time.Now()
		for range 2 {
			require.NoError(t, p.Take(t.Context(), "greedy"))
		}
		require.ErrorIs(t, p.Take(t.Context(), "greedy"), places.ErrFull)
		require.Equal(t, time.Second, time.Since(began))
		require.NoError(t, p.Take(t.Context(), "other"))
		p.GiveBack("greedy")
		require.NoError(t, p.Take(t.Context(), "greedy"))
		require.Equal(t, time.Second, time.Since(began))
	})
}

// TestTenantsInTurn: the caller that has waited longest is not first if its tenant has had its
// turn.
func TestTenantsInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := places.New(1, time.Hour)
		require.NoError(t, p.Take(t.Context(), "a"))
		served := make(chan string, 5)
		for _, tenant := range []string{"a", "a", "a", "b", "c"} {
			go func() {
				if p.Take(t.Context(), tenant) == nil {
					served <- tenant
				}
			}()
			synctest.Wait()
		}
		last, order := "a", ""
		for range 5 {
			p.GiveBack(last)
			last = <-served
			order += last
		}
		require.Equal(t, "abcaa", order)
	})
}

// TestGone: a place that comes to a caller that has gone is passed on.
func TestGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := places.New(1, time.Hour)
		require.NoError(t, p.Take(t.Context(), "a"))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() { gone <- p.Take(ctx, "b") }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		require.ErrorIs(t, p.Take(ctx, "b"), context.Canceled)
		p.GiveBack("a")
		require.NoError(t, p.Take(t.Context(), "c"))
	})
}

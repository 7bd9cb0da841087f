package webhook_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestDecisionsHaveAPace(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0, 0.1, 1, 1000} {
		require.NoError(t, webhook.Decision{RatePerSecond: rate}.Check())
	}
	for _, rate := range []float64{-1, 0.09, 1001, math.Inf(1), math.NaN()} {
		require.ErrorContains(t, webhook.Decision{RatePerSecond: rate}.Check(), "rate_per_second must lie between 0.1 and 1000")
	}
	require.InDelta(t, 10, webhook.Decision{}.Rate(), 0)
}

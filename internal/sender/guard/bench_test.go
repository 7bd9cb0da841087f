package guard_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// BenchmarkTurn is what the guard costs an attempt, beside the attempt itself.
func BenchmarkTurn(b *testing.B) {
	for _, endpoints := range []int{1, 1000} {
		b.Run(strconv.Itoa(endpoints), func(b *testing.B) {
			g := newGuard(b, guard.Config{})
			var deliveries []webhook.Delivery
			for n := range endpoints {
				deliveries = append(deliveries, at("ep_"+strconv.Itoa(n)))
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				d := deliveries[n%endpoints]
				n++
				p, err := g.Acquire(b.Context(), d)
				if err != nil {
					require.NoError(b, err)
				}
				g.Release(p, d, took)
			}
		})
	}
}

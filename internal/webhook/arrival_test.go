package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestWhatASourceSentAddsUp, in whatever order the parts are joined.
func TestWhatASourceSentAddsUp(t *testing.T) {
	t.Parallel()
	morning := webhook.SourceActivity{
		Accepted: 3, Repeats: 2, Refused: 1,
		LastAcceptedAt: happened, LastRefusedAt: happened.Add(time.Minute), LastRefusal: "too large",
	}
	evening := webhook.SourceActivity{
		Accepted: 10, Repeats: 20, Refused: 30,
		LastAcceptedAt: happened.Add(time.Hour), LastRefusedAt: happened.Add(2 * time.Hour), LastRefusal: "no signature",
	}
	both := webhook.SourceActivity{
		Accepted: 13, Repeats: 22, Refused: 31,
		LastAcceptedAt: evening.LastAcceptedAt, LastRefusedAt: evening.LastRefusedAt, LastRefusal: "no signature",
	}
	for _, order := range [][2]webhook.SourceActivity{{morning, evening}, {evening, morning}} {
		sum := order[0]
		sum.Add(order[1])
		require.Equal(t, both, sum)
	}
	sum := morning
	sum.Add(webhook.SourceActivity{Accepted: 1})
	require.Equal(t, "too large", sum.LastRefusal, "nothing was refused since")
}

package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestWhatIsDoneOnNoOnesBehalfIsHookloops.
func TestWhatIsDoneOnNoOnesBehalfIsHookloops(t *testing.T) {
	t.Parallel()
	require.Equal(t, webhook.Actor{Name: "hookloop", Via: webhook.ViaHookloop}, webhook.ActorOf(t.Context()))
	jane := webhook.Actor{Name: "jane", Via: webhook.ViaAPI}
	require.Equal(t, jane, webhook.ActorOf(webhook.WithActor(t.Context(), jane)))
}

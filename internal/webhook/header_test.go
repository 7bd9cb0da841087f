package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestAnEndpointsOwnerCannotChooseWhatWeSet, or what says how a request is framed, however it is
// spelt.
func TestAnEndpointsOwnerCannotChooseWhatWeSet(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"webhook-id", "Webhook-Signature", "HOOKLOOP-HOPS", "hookloop-anything", "Proxy-Authorization", "Host", "content-length",
		"Content-Type", "Transfer-Encoding", "User-Agent", "traceparent",
	} {
		require.True(t, webhook.ReservedHeader(name), name)
	}
	for _, name := range []string{"Authorization", "X-Webhook-Id", "X-Host", "hosts", "webhook", "Cookie"} {
		require.False(t, webhook.ReservedHeader(name), name)
	}
	all := webhook.ReservedHeaders()
	require.Subset(t, all, []string{"host", "traceparent", "webhook-*", "hookloop-*", "proxy-*"})
	all[0] = "mine"
	require.NotEqual(t, "mine", webhook.ReservedHeaders()[0], "a caller cannot change it for others")
}

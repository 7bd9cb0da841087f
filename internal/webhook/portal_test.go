package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestAPortalLinkIsGoodUntilItEnds(t *testing.T) {
	t.Parallel()
	l := webhook.PortalLink{EndpointID: "ep_1", ExpiresAt: happened.Add(time.Hour)}
	require.True(t, l.Live(happened))
	require.True(t, l.Live(l.ExpiresAt.Add(-1)))
	require.False(t, l.Live(l.ExpiresAt))
	l.RevokedAt = happened
	require.False(t, l.Live(happened), "it was revoked")
	require.Equal(t, "ep_1", l.Of())
	l.Owner = "shop-1"
	require.Equal(t, "shop-1", l.Of())
}

func TestChangesOfAPortal(t *testing.T) {
	t.Parallel()
	var none webhook.PortalSettings
	set := webhook.PortalSettings{Origins: []string{"https://shop.example"}, Theme: webhook.PortalTheme{Scheme: "dark"}}
	require.Empty(t, set.Changes(set))
	const origins, theme = `["https://shop.example"]`, `{"scheme":"dark"}`
	require.Equal(t, []webhook.AuditChange{
		{Field: "portal.origins", To: origins}, {Field: "portal.theme", To: theme},
	}, none.Changes(set))
	require.Equal(t, []webhook.AuditChange{
		{Field: "portal.origins", From: origins}, {Field: "portal.theme", From: theme},
	}, set.Changes(none))

	copied := set.Clone()
	copied.Origins[0] = "https://evil.example"
	require.Equal(t, "https://shop.example", set.Origins[0])
}

// TestAnOwnerReadsNoNamesOfOurs: who else decided, and in which words, is not theirs to know.
func TestAnOwnerReadsNoNamesOfOurs(t *testing.T) {
	t.Parallel()
	for reason, shown := range map[string]string{
		"":                                  "",
		"HTTP 503":                          "HTTP 503",
		"paused by alice: they do not pay":  "paused",
		"paused by alice":                   "paused",
		"paused by portal:jane: we migrate": "paused by portal:jane: we migrate",
	} {
		require.Equal(t, shown, webhook.WithoutPeople(reason))
	}
}

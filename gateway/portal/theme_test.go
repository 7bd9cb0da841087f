package portal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/gateway/portal"
	"hookloop/internal/webhook"
)

// TestThemes: colours in which all text can be read, and nothing else.
func TestThemes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		theme webhook.PortalTheme
		field string // to blame; empty: none
	}{
		"the usual one":        {webhook.PortalTheme{}, ""},
		"an accent":            {webhook.PortalTheme{Light: webhook.PortalColours{Accent: "#0550ae"}}, ""},
		"black and white":      {webhook.PortalTheme{Light: webhook.PortalColours{Ink: "#000000", Paper: "#FFFFFF", Card: "#ffffff"}}, ""},
		"a faint accent":       {webhook.PortalTheme{Light: webhook.PortalColours{Accent: "#aaaaff"}}, "theme.light.accent"},
		"grey paper":           {webhook.PortalTheme{Light: webhook.PortalColours{Paper: "#999999"}}, "theme.light.paper"},
		"a light card at dark": {webhook.PortalTheme{Dark: webhook.PortalColours{Card: "#ffffff"}}, "theme.dark.card"},
		"a name":               {webhook.PortalTheme{Dark: webhook.PortalColours{Ink: "white"}}, "theme.dark.ink"},
		"more than a colour":   {webhook.PortalTheme{Light: webhook.PortalColours{Ink: "#000000;--x:url(//evil)"}}, "theme.light.ink"},
	} {
		err := portal.CheckTheme(c.theme)
		if c.field == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.field, name)
	}
}

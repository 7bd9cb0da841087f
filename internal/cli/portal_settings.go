package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/terminal"
)

func newPortalSettings(o *options) *cobra.Command {
	var origins []string
	var theme string
	var noOrigins, noTheme bool
	c := &cobra.Command{
		Use:   "settings",
		Short: "Show or say where the portal may be embedded, and how it looks",
		Long: `Show where the portal may be embedded and how it looks; with flags, change it. Origins are those of your
app's pages; --origin replaces the whole list. A theme is JSON, and has colours as #rrggbb:
{"scheme": "light", "light": {"accent": "#0550ae", "ink": "#1b1f24", "paper": "#ffffff", "card": "#f6f8fa"}, "radius": 4}`,
		Example: `  hookloop portal settings --origin https://app.example.com --origin https://staging.example.com
  hookloop portal settings --theme theme.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			change, err := settingsChange(origins, theme, noOrigins, noTheme)
			if err != nil {
				return err
			}
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			call := g.Portal.Settings()
			if change != (api.PortalSettingsChange{}) {
				call = g.Portal.Set(change)
			}
			return show(g, call, func(w io.Writer, s api.PortalSettings) error { return terminal.JSON(w, s) })
		},
	}
	f := c.Flags()
	f.StringArrayVar(&origins, "origin", nil, "an `origin` whose pages may show the portal in a frame, repeatable")
	f.BoolVar(&noOrigins, "no-origins", false, "no page may show it in a frame")
	f.StringVar(&theme, "theme", "", "a `file` with what is to look otherwise")
	f.BoolVar(&noTheme, "no-theme", false, "it looks as usual")
	return c
}

func settingsChange(origins []string, theme string, noOrigins, noTheme bool) (c api.PortalSettingsChange, err error) {
	switch {
	case noOrigins && len(origins) > 0:
		return c, terminal.Usage("give --origin or --no-origins, not both")
	case noTheme && theme != "":
		return c, terminal.Usage("give --theme or --no-theme, not both")
	case noOrigins:
		c.Origins = api.Clear[[]string]()
	case len(origins) > 0:
		c.Origins = api.To(origins)
	}
	if noTheme {
		c.Theme = api.Clear[api.PortalThemeChange]()
	}
	if theme == "" {
		return c, nil
	}
	raw, err := os.ReadFile(theme)
	if err != nil {
		return c, fmt.Errorf("--theme: %w", err)
	}
	var t api.PortalThemeChange
	if err := json.Unmarshal(raw, &t); err != nil {
		return c, errors.New("--theme: the file is not JSON of a theme")
	}
	c.Theme = api.To(t)
	return c, nil
}

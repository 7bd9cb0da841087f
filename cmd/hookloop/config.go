package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/contrib/envconfig"

	"hookloop/internal/config"
	"hookloop/internal/terminal"
)

func newConfig() *cobra.Command {
	var asJSON bool
	var role string
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the effective configuration, secrets masked",
		Long: `Show what 'hookloop serve', 'gateway', 'worker' and 'migrate' would run with: every variable, its effective
value and where it comes from. Secrets and passwords are masked. With --check, say what is wrong for a role
and exit 1.`,
		Example: `  hookloop config
  hookloop config --check serve`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := showConfig(c.OutOrStdout(), asJSON); err != nil || role == "" {
				return err
			}
			return checkRole(config.Role(role))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&role, "check", "", "`role` to check for: serve, gateway, worker, migrate or reseal")
	return c
}

func checkRole(role config.Role) error {
	switch role {
	case config.RoleServe, config.RoleGateway, config.RoleWorker, config.RoleMigrate, config.RoleReseal:
		_, _, err := readService(role)
		return err
	default:
		return terminal.Usage("--check takes serve, gateway, worker, migrate or reseal")
	}
}

func showConfig(w io.Writer, asJSON bool) error {
	all := append(config.Settings(config.OS), temporalSettings()...)
	if asJSON {
		return terminal.JSON(w, all)
	}
	t := terminal.Columns(w)
	for _, s := range all {
		value := s.Value
		switch {
		case value == "":
			value = "-"
		case s.Default:
			value += "  (default)"
		}
		terminal.Row(t, s.Name, value, s.About)
	}
	return t.Flush()
}

// temporalSettings are what Temporal's SDK makes of its own variables and files.
func temporalSettings() []config.Setting {
	p, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{})
	if err != nil {
		return []config.Setting{{Name: "TEMPORAL_*", About: fmt.Sprint(err)}}
	}
	key, tls := "", "off"
	if p.APIKey != "" {
		key = "***"
	}
	if p.TLS != nil && !p.TLS.Disabled || p.APIKey != "" {
		tls = "on"
	}
	return []config.Setting{
		{Name: "TEMPORAL_ADDRESS", Value: cmp.Or(p.Address, "localhost:7233"), Default: p.Address == "", About: "host:port of Temporal"},
		{Name: "TEMPORAL_NAMESPACE", Value: cmp.Or(p.Namespace, "default"), Default: p.Namespace == "", About: "where workflows live"},
		{Name: "TEMPORAL_API_KEY", Value: key, About: "for Temporal Cloud"},
		{Name: "TEMPORAL_TLS", Value: tls, About: "TLS to Temporal, with TEMPORAL_TLS_… for certificates"},
	}
}

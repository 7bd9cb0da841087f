// Package cli is the command line of hookloop as a client: it sends events, manages endpoints and
// sources, and shows and decides what waits for people, all through the HTTP API of a gateway.
// `listen` plays an endpoint and `token` signs a token; neither needs one. The roles (dev, serve,
// …) are handed in by cmd/hookloop.
package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

// New is the whole command line: the client's commands, and the roles beside them.
func New(version string, roles ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "hookloop",
		Short: "Sends and receives webhooks that cannot get lost",
		Long: `Hookloop sends and receives webhooks that cannot get lost.

Start everything in one process, then talk to it from another terminal:

  hookloop dev
  hookloop listen
  hookloop endpoint create --url http://127.0.0.1:9000/
  hookloop event send --type contact.updated --data '{"id": 1}'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newEndpoint(version), newSource(version), newEvent(version), newApproval(version), newAudit(version),
		newListen(version), newConsole(version), newToken(), newVersion(version))
	root.AddCommand(roles...)
	return root
}

func newVersion(version string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return terminal.JSON(c.OutOrStdout(), map[string]string{"version": version, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "hookloop %s (%s)\n", version, runtime.Version())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

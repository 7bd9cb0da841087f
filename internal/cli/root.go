// Package cli is the command line of hookloop as a client: it sends events, manages endpoints and
// sources, and shows and decides what waits for people, all through the HTTP API of a gateway.
// `listen` plays an endpoint and `token` signs a token; neither needs one. The roles (dev, serve,
// …) are handed in by cmd/hookloop.
package cli

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

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
	root.Version = described(version)
	root.SetVersionTemplate("hookloop {{.Version}}\n")
	root.AddCommand(newEndpoint(version), newSource(version), newEvent(version), newApproval(version), newAudit(version),
		newTop(version), newListen(version), newConsole(version), newPortal(version), newToken(), newVersion(version), newMan())
	root.AddCommand(roles...)
	return root
}

// commit is the one that this program was built from; empty: that is not known.
func commit() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + changed
}

// described is a version with all that is known of it.
func described(version string) string {
	if c := commit(); c != "" {
		return version + " (" + c + ", " + runtime.Version() + ")"
	}
	return version + " (" + runtime.Version() + ")"
}

// newMan writes manual pages, for packages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write manual pages of every command into a folder",
		Long:    `Write a manual page of every command into a folder, for packages and 'man'.`,
		Example: `  hookloop man /usr/local/share/man/man1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for all users
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "Hookloop", Manual: "Hookloop"}
			return doc.GenManTree(c.Root(), header, args[0])
		},
	}
}

func newVersion(version string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return terminal.JSON(c.OutOrStdout(), map[string]string{"version": version, "commit": commit(), "go": runtime.Version()})
			}
			return terminal.Say(c.OutOrStdout(), "hookloop %s\n", described(version))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

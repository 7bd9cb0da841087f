package cli

import (
	"cmp"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

func newConsole(version string) *cobra.Command {
	o := options{version: version}
	var open bool
	c := &cobra.Command{
		Use:   "console",
		Short: "Sign a browser in to the gateway's console",
		Long: `Print a link that signs a browser in to the gateway's console: health, endpoints in trouble, decisions,
events and what became of them. The link is good for two minutes; a person who has it meanwhile is signed in as you.` + gatewayHelp,
		Example: `  hookloop console --open
  hookloop console --gateway https://hooks.example.com --tenant acme`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			link, err := g.ConsoleLink(c.Context())
			if err != nil {
				return err
			}
			if o.asJSON {
				return terminal.JSON(c.OutOrStdout(), map[string]string{"url": link})
			}
			if _, err := fmt.Fprintln(c.OutOrStdout(), link); err != nil || !open {
				return err
			}
			return openBrowser(link)
		},
	}
	o.register(c.Flags())
	c.Flags().BoolVar(&open, "open", false, "open it in this machine's browser as well")
	return c
}

// openBrowser hands a link to the program that the desktop opens links with.
func openBrowser(link string) error {
	opener := cmp.Or(map[string]string{"darwin": "open", "windows": "explorer"}[runtime.GOOS], "xdg-open")
	if err := exec.Command(opener, link).Start(); err != nil { //nolint:noctx // it outlives this command
		return fmt.Errorf("no browser was opened, use the link above: %w", err)
	}
	return nil
}

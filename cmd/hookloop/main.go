// Command hookloop sends and receives webhooks that cannot get lost. One file per subcommand;
// this package is the only one that picks concrete types and puts them together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker at release: -X main.version=v1.2.3.
var version = "dev"

func main() { os.Exit(run()) }

// run ends the command on the first SIGINT or SIGTERM in good order; a second one kills it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// execute runs one command line and says how it ended: 0 well, 1 with an error, 2 not understood.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "hookloop: "+err.Error())
	if _, ok := errors.AsType[*usageError](err); ok {
		return 2
	}
	return 1
}

// usageError is a command line nobody can follow.
type usageError struct{ error }

func usage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hookloop",
		Short: "Sends and receives webhooks that cannot get lost",
		Long: `Hookloop sends and receives webhooks that cannot get lost.

Start everything in one process, then talk to it from another terminal:

  hookloop dev
  hookloop listen
  hookloop endpoint create --url http://127.0.0.1:9000/
  hookloop event send --type contact.updated --data '{"id": 1}'`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%w; see %s --help", err, c.CommandPath())
	})
	root.AddCommand(newDev(), newServe(), newGatewayCommand(), newWorkerCommand(), newMigrate(), newConfig(), newKey(), newReseal(), newHealth(), newToken(), newEndpoint(), newSource(), newEvent(), newApproval(), newAudit(), newListen(), newBench(), newArchive(), newVersion())
	checkArgs(root)
	return root
}

// checkArgs makes arguments that do not fit a usage error, like flags that do not.
func checkArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage("%w; see %s --help", err, c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		checkArgs(sub)
	}
}

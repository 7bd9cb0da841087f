// Package terminal is how the commands of hookloop speak to people and to scripts: exit codes,
// command lines that make no sense, tables, JSON, times, and other people's text made safe to show.
// It knows nothing of what it prints.
package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Run runs the process's own command line, and says how the process ends. The first SIGINT or
// SIGTERM ends the command in good order; a second one kills it.
func Run(root *cobra.Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Execute(ctx, root, os.Args[1:], os.Stdout, os.Stderr)
}

// Execute runs one command line and says how it ended: 0 well, 1 with an error, 2 not understood.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return Usage("%w; see %s --help", err, c.CommandPath())
	})
	CheckArgs(root)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	tell(stderr, c, err)
	if _, ok := errors.AsType[*UsageError](err); ok {
		return 2
	}
	return 1
}

// Problem is an error as a script reads it, in the terms of RFC 9457.
type Problem struct {
	Detail string `json:"detail"`
}

// tell says how a command failed: in a line of words or, where JSON was asked for, of JSON.
func tell(stderr io.Writer, c *cobra.Command, err error) {
	if asked := c.Flag("json"); asked == nil || asked.Value.String() != "true" {
		name := "hookloop:"
		if coloured(stderr) {
			name = red + name + plain
		}
		fmt.Fprintln(stderr, name+" "+err.Error())
		return
	}
	var problem any = Problem{Detail: err.Error()}
	var own json.Marshaler
	if errors.As(err, &own) {
		problem = own
	}
	line, err := json.Marshal(problem)
	if err != nil {
		line, _ = json.Marshal(Problem{Detail: err.Error()}) // a text always marshals
	}
	fmt.Fprintln(stderr, string(line))
}

// UsageError is a command line that cannot be followed.
type UsageError struct{ error }

// Usage says what is wrong with a command line.
func Usage(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}

// CheckArgs makes arguments that do not fit a usage error, like flags that do not.
func CheckArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return Usage("%s; see %s --help", misunderstood(c, args, err), c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		CheckArgs(sub)
	}
}

// misunderstood says what is wrong with arguments, and what may have been meant.
func misunderstood(c *cobra.Command, args []string, err error) string {
	takes := strings.Fields(c.Use)[1:]
	switch text := err.Error(); {
	case c.HasSubCommands() && len(args) > 0:
		c.SuggestionsMinimumDistance = 2 // letters that are wrong
		if meant := c.SuggestionsFor(args[0]); len(meant) > 0 {
			return text + ": did you mean " + strings.Join(meant, " or ") + "?"
		}
		return text
	case strings.HasPrefix(text, "accepts ") && len(args) < len(takes):
		return c.CommandPath() + " needs " + argument(c, takes[len(args)])
	case strings.HasPrefix(text, "accepts ") && len(takes) > 0:
		return fmt.Sprintf("%s takes %s alone, not %q", c.CommandPath(), strings.Join(takes, " "), args[len(args)-1])
	default:
		return text
	}
}

// argument names what a command's usage line calls ID, EVENT and the like.
func argument(c *cobra.Command, name string) string {
	of := strings.ToLower(name)
	switch {
	case name == "ID" && c.HasParent():
		of = c.Parent().Name()
	case name != "EVENT" && name != "ENDPOINT":
		return name
	}
	article := "a "
	if strings.ContainsRune("aeiou", rune(of[0])) {
		article = "an "
	}
	return "the id of " + article + of
}

// ListenError says which address is the trouble and which flag or setting changes it.
func ListenError(what, flag, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: %s is taken; stop what listens there, or choose another with %s", what, addr, flag)
	}
	return fmt.Errorf("%s: %w", what, err)
}

package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newEndpoint(version string) *cobra.Command {
	o := options{version: version}
	c := group("endpoint", "Manage endpoints: who gets which events, signed how",
		`Manage endpoints: who gets which events, signed how.

An endpoint is a consumer's URL with a secret that signs what is sent there (Standard Webhooks).`, &o,
		newEndpointCreate(&o), newEndpointList(&o), newEndpointGet(&o), newEndpointUpdate(&o), newEndpointDelete(&o),
		newEndpointSecret(&o), newEndpointRotate(&o), newEndpointTest(&o), newEndpointRecover(&o),
		newEndpointPause(&o), newEndpointResume(&o), newEndpointAttempts(&o), newEndpointStats(&o), newEndpointPortal(&o))
	c.Example = `  hookloop endpoint create --url http://127.0.0.1:9000/ --type contact.updated
  hookloop endpoint list
  hookloop endpoint test ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --wait
  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --since 24h`
	return c
}

func newEndpointList(o *options) *cobra.Command {
	var owner string
	c := &cobra.Command{
		Use:   "list",
		Short: "List endpoints, the oldest first",
		Long:  `List the tenant's endpoints, the oldest first.`,
		Example: `  hookloop endpoint list --all --json
  hookloop endpoint list --owner customer-4711`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&owner, "owner", "", "only the endpoints of this owner")
	return listing(o, c, func(g *gateway, _ []string, page api.PageQuery) client.List[api.Endpoint] {
		return g.Endpoints.List(api.EndpointQuery{Owner: owner, PageQuery: page})
	}, showEndpoints)
}

func showEndpoints(w io.Writer, all []api.Endpoint) error {
	t, now := terminal.Columns(w), time.Now()
	terminal.Row(t, "ID", "STATE", "OWNER", "URL", "DESCRIPTION", "EVENT TYPES", "WAITING", "LAST HOUR", "LAST SUCCESS", "LAST ERROR")
	for _, e := range all {
		a := api.Activity{}
		if e.Activity != nil {
			a = *e.Activity
		}
		terminal.Row(t, e.ID, string(e.State), cmp.Or(e.Owner, "-"), e.URL, shortened(cmp.Or(e.Description, "-"), 30), typesOf(e), countOf(a.Waiting),
			hour(a.LastHour), when(w, a.LastSuccessAt, now), lastError(a.LastError, now))
	}
	return t.Flush()
}

func newEndpointGet(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "get ID",
		Short: "Show an endpoint",
		Long: `Show an endpoint, without its secret. Schedule, time-out and approval are those that hold, defaults
included. The breaker is that of the worker beside the gateway; each worker has its own.`,
		Example: `  hookloop endpoint get ep_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE:    o.with(func(g *gateway, args []string) error { return show(g, g.Endpoints.Get(args[0]), showEndpoint) }),
	}
}

func newEndpointDelete(o *options) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete an endpoint",
		Long: `Delete an endpoint and its secret. Its deliveries under way end as cancelled. It cannot be undone, so on a terminal it
asks first.`,
		Example: `  hookloop endpoint delete ep_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE: o.with(func(g *gateway, args []string) error {
			if !yes && terminal.IsTerminal(g.command.InOrStdin()) {
				if err := confirmDelete(g, args[0]); err != nil {
					return err
				}
			}
			return done(g, g.Endpoints.Delete(args[0]), args[0], "deleted")
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// confirmDelete says what would be lost, and wants a yes.
func confirmDelete(g *gateway, id string) error {
	e, err := g.Endpoints.Get(id).Do(g.command.Context())
	if err != nil {
		return err
	}
	waiting := ""
	if e.Activity != nil && e.Activity.Waiting != nil && *e.Activity.Waiting > 0 {
		waiting = " " + terminal.Count(*e.Activity.Waiting, "delivery") + " under way will end as cancelled."
	}
	name := api.EndpointName{Host: e.Host, Description: e.Description}
	fmt.Fprintf(g.command.ErrOrStderr(), "Delete %s?%s It cannot be undone. Type yes: ", named(e.ID, &name), waiting)
	answer, _ := bufio.NewReader(g.command.InOrStdin()).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("not deleted")
	}
	return nil
}

func newEndpointTest(o *options) *cobra.Command {
	var wait waitOptions
	c := &cobra.Command{
		Use:   "test ID",
		Short: "Send a test event to one endpoint",
		Long: `Send an event of type hookloop.test to one endpoint, whatever types it takes: signed and retried like
any other.`,
		Example: `  hookloop endpoint test ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --wait`,
		Args:    cobra.ExactArgs(1),
		PreRunE: wait.check,
		RunE:    o.with(func(g *gateway, args []string) error { return accept(g, g.Endpoints.Test(args[0]), wait) }),
	}
	wait.register(c.Flags())
	return c
}

// hour is what came of an hour's attempts, in a word.
func hour(t api.Traffic) string {
	if t.Attempts == 0 {
		return "-"
	}
	return share(t.Success) + " of " + strconv.FormatInt(t.Attempts, 10)
}

func typesOf(e api.Endpoint) string {
	if len(e.EventTypes) == 0 {
		return "all"
	}
	return strings.Join(e.EventTypes, ", ")
}

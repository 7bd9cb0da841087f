package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newEventRetryNow(o *options) *cobra.Command {
	return newAction(o, func(g *gateway, event, endpoint string, i api.Instruction) client.Call[api.Delivery] {
		return g.Events.RetryNow(event, endpoint, i)
	}, &cobra.Command{
		Use:   "retry-now EVENT ENDPOINT",
		Short: "Make a waiting delivery's next attempt now",
		Long: `Make a waiting delivery's next attempt now, not when its schedule would. If that fails, the schedule goes
on behind it. An open breaker or a spent rate limit still defers it.`,
		Example: `  hookloop event retry-now evt_01jzc8m3v7q2w5x9y1b4d6f8hk ep_01jzc8k0a2n4p6r8s0t2v4w6x8 \
      --reason 'their firewall is mended'`,
	}, "makes its next attempt now")
}

func newEventCancel(o *options) *cobra.Command {
	return newAction(o, func(g *gateway, event, endpoint string, i api.Instruction) client.Call[api.Delivery] {
		return g.Events.Cancel(event, endpoint, i)
	}, &cobra.Command{
		Use:   "cancel EVENT ENDPOINT",
		Short: "End a waiting delivery",
		Long: `End a waiting delivery. An attempt under way is waited for, and counts. 'hookloop event redeliver' starts
it again.`,
		Example: `  hookloop event cancel evt_01jzc8m3v7q2w5x9y1b4d6f8hk ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'wrong customer'`,
	}, "is being cancelled")
}

// newAction makes c the command that instructs one delivery.
func newAction(
	o *options, call func(g *gateway, event, endpoint string, i api.Instruction) client.Call[api.Delivery], c *cobra.Command, done string,
) *cobra.Command {
	var reason string
	c.Args = cobra.ExactArgs(2)
	c.RunE = o.with(func(g *gateway, args []string) error {
		return show(g, call(g, args[0], args[1], api.Instruction{Reason: reason}), func(w io.Writer, d api.Delivery) error {
			return terminal.Say(w, "%s to %s %s; it had made %s\n\nNext: hookloop event get %s\n",
				args[0], d.EndpointID, done, terminal.Count(len(d.Attempts), "attempt"), args[0])
		})
	})
	c.Flags().StringVar(&reason, "reason", "", "why, for those who read the history")
	return c
}

func newEventRedeliver(o *options) *cobra.Command {
	var endpointID string
	var wait waitOptions
	c := &cobra.Command{
		Use:   "redeliver ID",
		Short: "Deliver an event again",
		Long: `Deliver an event again: every delivery that ended undelivered, or with --endpoint one of them, delivered
or not. Endpoints see the same webhook-id and the same bytes. It works for as long as Temporal keeps
the event's history.

'hookloop endpoint recover' redelivers all that one endpoint did not get.`,
		Example: `  hookloop event redeliver evt_01jzc8m3v7q2w5x9y1b4d6f8hk --wait
  hookloop event redeliver evt_01jzc8m3v7q2w5x9y1b4d6f8hk --endpoint ep_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args: cobra.ExactArgs(1),
		PreRunE: func(c *cobra.Command, args []string) error {
			switch {
			case c.Flags().Changed("endpoint") && endpointID == "":
				return terminal.Usage("--endpoint must not be empty; without it, all that were not delivered are")
			case endpointID != "" && !strings.HasPrefix(endpointID, webhook.EndpointPrefix):
				return terminal.Usage("--endpoint takes an endpoint's id, ep_…, not %q", endpointID)
			}
			return wait.check(c, args)
		},
		RunE: o.with(func(g *gateway, args []string) error {
			return redeliver(g, args[0], endpointID, wait)
		}),
	}
	c.Flags().StringVar(&endpointID, "endpoint", "", "only to this `endpoint`, even if it was delivered")
	wait.register(c.Flags())
	return c
}

func redeliver(g *gateway, id, endpointID string, wait waitOptions) error {
	call := g.Events.Redeliver(id, api.Redelivery{EndpointID: endpointID})
	if !wait.wait {
		return show(g, call, func(w io.Writer, r api.Redelivered) error { return showRedelivered(w, id, r) })
	}
	if _, err := call.Do(g.command.Context()); err != nil {
		return err
	}
	return waitAndShow(g, id, wait.timeout)
}

func showRedelivered(w io.Writer, id string, r api.Redelivered) error {
	for _, d := range r.Deliveries {
		if err := terminal.Say(w, "%s is delivered to %s again\n", id, d.EndpointID); err != nil {
			return err
		}
	}
	return terminal.Say(w, "\nNext: hookloop event get %s\n", id)
}

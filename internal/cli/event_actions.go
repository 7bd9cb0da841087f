package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newEventRetryNow(o *clientOptions) *cobra.Command {
	return newOrder(o, "retry-now", &cobra.Command{
		Use:   "retry-now EVENT ENDPOINT",
		Short: "Make a waiting delivery's next attempt now",
		Long: `Make a waiting delivery's next attempt now, not when its schedule would. If that fails, the schedule goes
on behind it. An open breaker or a spent rate limit still defers it.`,
		Example: `  hookloop event retry-now evt_01jzc8m3v7q2w5x9y1b4d6f8hk ep_01jzc8k0a2n4p6r8s0t2v4w6x8 \
      --reason 'their firewall is mended'`,
	}, "makes its next attempt now")
}

func newEventCancel(o *clientOptions) *cobra.Command {
	return newOrder(o, "cancel", &cobra.Command{
		Use:   "cancel EVENT ENDPOINT",
		Short: "End a waiting delivery",
		Long: `End a waiting delivery. An attempt under way is waited for, and counts. 'hookloop event redeliver' starts
it again.`,
		Example: `  hookloop event cancel evt_01jzc8m3v7q2w5x9y1b4d6f8hk ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'wrong customer'`,
	}, "is being cancelled")
}

// newOrder makes c the command that gives an order to one delivery.
func newOrder(o *clientOptions, order string, c *cobra.Command, done string) *cobra.Command {
	var reason string
	c.Args = cobra.ExactArgs(2)
	c.RunE = func(c *cobra.Command, args []string) error {
		body, err := json.Marshal(map[string]string{"reason": reason})
		if err != nil {
			return err
		}
		path := eventPath(args[0]) + "/deliveries/" + url.PathEscape(args[1]) + "/" + order
		return o.run(c, apiRequest{method: http.MethodPost, path: path, body: body}, as(func(w io.Writer, d webhook.DeliveryReport) error {
			id := terminal.OneLine(args[0])
			_, err := fmt.Fprintf(w, "%s to %s %s; it had made %s\n\nNext: hookloop event get %s\n",
				id, terminal.OneLine(d.EndpointID), done, terminal.Count(len(d.Attempts), "attempt"), id)
			return err
		}))
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the history")
	return c
}

func newEventRedeliver(o *clientOptions) *cobra.Command {
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
		RunE: func(c *cobra.Command, args []string) error {
			return runRedeliver(c, o, args[0], endpointID, wait)
		},
	}
	c.Flags().StringVar(&endpointID, "endpoint", "", "only to this `endpoint`, even if it was delivered")
	wait.register(c.Flags())
	return c
}

// redeliveredView is what the gateway tells of a redelivery.
type redeliveredView struct {
	Deliveries []struct {
		EndpointID string `json:"endpoint_id"`
	} `json:"deliveries"`
}

func runRedeliver(c *cobra.Command, o *clientOptions, id, endpointID string, wait waitOptions) error {
	switch {
	case c.Flags().Changed("endpoint") && endpointID == "":
		return terminal.Usage("--endpoint must not be empty; without it, all that were not delivered are")
	case endpointID != "" && !strings.HasPrefix(endpointID, "ep_"):
		return terminal.Usage("--endpoint takes an endpoint's id, ep_…, not %q", endpointID)
	}
	if err := wait.check(c); err != nil {
		return err
	}
	r := apiRequest{method: http.MethodPost, path: eventPath(id) + "/redeliver"}
	if endpointID != "" {
		r.body = []byte(`{"endpoint_id":` + string(quoteJSON(endpointID)) + `}`)
	}
	if !wait.wait {
		return o.run(c, r, as(func(w io.Writer, v redeliveredView) error { return showRedelivered(w, id, v) }))
	}
	gateway, err := o.connect()
	if err != nil {
		return err
	}
	if _, err := gateway.call(c.Context(), r); err != nil {
		return err
	}
	return waitAndShow(c, o, gateway, id, wait.timeout)
}

func showRedelivered(w io.Writer, id string, v redeliveredView) error {
	id = terminal.OneLine(id)
	for _, d := range v.Deliveries {
		if _, err := fmt.Fprintf(w, "%s is delivered to %s again\n", id, terminal.OneLine(d.EndpointID)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nNext: hookloop event get %s\n", id)
	return err
}

package cli

import (
	"cmp"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newEventUndelivered(o *options) *cobra.Command {
	var query api.UndeliveredQuery
	var status string
	c := &cobra.Command{
		Use:   "undelivered",
		Short: "List what has not been delivered yet, and why",
		Long: `List what has not been delivered yet, and why, over all endpoints: deliveries that go on, those that began last
first. Each is asked why it waits, and until when.`,
		Example: `  hookloop event undelivered
  hookloop event undelivered --endpoint ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --status held`,
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&query.Endpoint, "endpoint", "", "only those to this endpoint, an `id`")
	f.StringVar(&status, "status", "", "only pending, retrying or held ones")
	return listingOf(o, c, mostUndelivered, func(g *gateway, _ []string, page api.PageQuery) client.List[api.Undelivered] {
		query.Status, query.Limit, query.Cursor = api.DeliveryStatus(status), page.Limit, page.Cursor
		return g.Undelivered(query)
	}, showUndelivered)
}

// mostUndelivered is how many the gateway gives at once.
const mostUndelivered = 100

func showUndelivered(w io.Writer, all []api.Undelivered) error {
	now := time.Now()
	t := terminal.Columns(w)
	terminal.Row(t, "EVENT", "TYPE", "ENDPOINT", "STATUS", "ACCEPTED", "ATTEMPTS", "NEXT", "WHY")
	for _, u := range all {
		endpoint := cmp.Or(nameOf(u.Endpoint), u.EndpointID)
		terminal.Row(t, u.EventID, u.EventType, endpoint, string(u.Status), terminal.When(w, u.AcceptedAt, now), strconv.Itoa(u.Attempts), when(w, u.NextAttemptAt, now), shortened(u.Reason, 80))
	}
	return t.Flush()
}

func newEventData(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "data ID",
		Short: "Print what an event says, byte for byte",
		Long: `Print the data of an event, byte for byte as it came. It takes a token with the scope events:data, and the gateway
logs who reads it.`,
		Example: `  hookloop event data evt_01jzc8m3v7q2w5x9y1b4d6f8hk | jq .`,
		Args:    cobra.ExactArgs(1),
		RunE: o.with(func(g *gateway, args []string) error {
			data, err := g.Events.Data(args[0]).JSON(g.command.Context())
			if err != nil {
				return err
			}
			w := g.command.OutOrStdout()
			if terminal.IsTerminal(w) { // others wrote it
				_, err = io.WriteString(w, terminal.Printable(string(data))+"\n")
				return err
			}
			_, err = w.Write(data)
			return err
		}),
	}
}

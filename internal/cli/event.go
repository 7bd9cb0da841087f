package cli

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

func newEvent(version string) *cobra.Command {
	o := clientOptions{version: version}
	c := newGroup("event", "Send events and see what became of them",
		`Send events and see what became of them.

An event is what happened in an app, which sent it, or at a third party, which sent it to a source. It
goes to every endpoint of the tenant that takes its type; its id is the webhook-id of every delivery.`, &o,
		newEventSend(&o), newEventGet(&o), newEventList(&o), newEventRetryNow(&o), newEventCancel(&o), newEventRedeliver(&o))
	c.Example = `  hookloop event send --type contact.updated --data '{"id": 1}' --wait
  hookloop event list --status failed
  hookloop event redeliver evt_01jzc8m3v7q2w5x9y1b4d6f8hk --wait`
	return c
}

func eventPath(id string) string { return "/events/" + url.PathEscape(id) }

func newEventGet(o *clientOptions) *cobra.Command {
	var wait waitOptions
	c := &cobra.Command{
		Use:   "get ID",
		Short: "Show what became of an event: every delivery, every attempt",
		Long: `Show what became of an event: every delivery with its attempts, why it waits and when the next
attempt is due. Of what a third party sent it shows the source, their id of it, which endpoints it was
withheld from because they belong to the same application, and whether it is only the echo of another
event, or brings one once more to an application that had lost it.

With --wait it first waits until all deliveries have ended, and exits 1 if one was not delivered.`,
		Example: `  hookloop event get evt_01jzc8m3v7q2w5x9y1b4d6f8hk
  hookloop event get evt_01jzc8m3v7q2w5x9y1b4d6f8hk --wait --timeout 10m`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runEventGet(c, o, args[0], wait)
		},
	}
	wait.register(c.Flags())
	return c
}

func runEventGet(c *cobra.Command, o *clientOptions, id string, wait waitOptions) error {
	if err := wait.check(c); err != nil {
		return err
	}
	gateway, err := o.connect()
	if err != nil {
		return err
	}
	if wait.wait {
		return waitAndShow(c, o, gateway, id, wait.timeout)
	}
	answer, err := gateway.call(c.Context(), apiRequest{method: http.MethodGet, path: eventPath(id)})
	if err != nil {
		return err
	}
	return showEvent(c.OutOrStdout(), o, gateway, answer)
}

type eventListOptions struct {
	pageOptions

	eventType string
	status    string
	after     string
	before    string
}

func newEventList(o *clientOptions) *cobra.Command {
	var l eventListOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "List events, the latest first",
		Long: `List events, the latest first.

The list is Temporal's own and a moment behind; 'hookloop event get' is not.`,
		Example: `  hookloop event list --status failed
  hookloop event list --type contact.updated --after 2026-01-31T00:00:00Z --all --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runEventList(c, o, l) },
	}
	f := c.Flags()
	f.StringVar(&l.eventType, "type", "", "only events of this type")
	f.StringVar(&l.status, "status", "", "only delivering, delivered or failed ones")
	f.StringVar(&l.after, "after", "", "only those accepted after this `time`: RFC 3339, a day, or how long ago")
	f.StringVar(&l.before, "before", "", "only those accepted before this `time`")
	l.register(f)
	return c
}

// query leaves to the gateway what the gateway checks.
func (l eventListOptions) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"type": l.eventType, "status": l.status, "after": l.after, "before": l.before} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// eventItem is one line of the list.
type eventItem struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Status     string    `json:"status"`
	AcceptedAt time.Time `json:"accepted_at"`
}

func runEventList(c *cobra.Command, o *clientOptions, l eventListOptions) error {
	if err := l.check(); err != nil {
		return err
	}
	get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
		return gateway.list(ctx, "/events", l.query(), l.pageOptions)
	}
	return o.ask(c, get, as(func(w io.Writer, page listOf[eventItem]) error {
		t := terminal.Columns(w)
		terminal.Row(t, "ID", "TYPE", "STATUS", "ACCEPTED")
		for _, e := range page.Data {
			terminal.Row(t, e.ID, cmp.Or(e.Type, "-"), e.Status, terminal.UTC(e.AcceptedAt))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		moreHint(c.ErrOrStderr(), c.CommandPath(), page.next())
		return nil
	}))
}

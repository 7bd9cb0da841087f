package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newEvent(version string) *cobra.Command {
	o := options{version: version}
	c := group("event", "Send events and see what became of them",
		`Send events and see what became of them.

An event is what happened in an app, which sent it, or at a third party, which sent it to a source. It
goes to every endpoint of the tenant that takes its type; its id is the webhook-id of every delivery.`, &o,
		newEventSend(&o), newEventGet(&o), newEventData(&o), newEventList(&o), newEventUndelivered(&o), newEventRetryNow(&o), newEventCancel(&o), newEventRedeliver(&o),
		newEventErase(&o), newEventHold(&o), newEventUnhold(&o))
	c.Example = `  hookloop event send --type contact.updated --data '{"id": 1}' --wait
  hookloop event list --status failed
  hookloop event redeliver evt_01jzc8m3v7q2w5x9y1b4d6f8hk --wait`
	return c
}

func newEventGet(o *options) *cobra.Command {
	var wait waitOptions
	c := &cobra.Command{
		Use:   "get ID",
		Short: "Show what became of an event: every delivery, every attempt",
		Long: `Show what became of an event: every delivery with its attempts, why it waits and when the next
attempt is due. Of what a third party sent it shows the source, their id of it, which endpoints it was
withheld from because they belong to the same application, and whether it is only the echo of another
event, or brings one once more to an application that had lost it.

With --wait it first waits until all deliveries have ended, and exits 1 if one was not delivered, or if --timeout is over and
one goes on.`,
		Example: `  hookloop event get evt_01jzc8m3v7q2w5x9y1b4d6f8hk
  hookloop event get evt_01jzc8m3v7q2w5x9y1b4d6f8hk --wait --timeout 10m`,
		Args:    cobra.ExactArgs(1),
		PreRunE: wait.check,
		RunE: o.with(func(g *gateway, args []string) error {
			if wait.wait {
				return waitAndShow(g, args[0], wait.timeout)
			}
			return show(g, g.Events.Get(args[0]), g.showEvent)
		}),
	}
	wait.register(c.Flags())
	return c
}

func newEventList(o *options) *cobra.Command {
	var q api.EventQuery
	var status string
	c := &cobra.Command{
		Use:   "list",
		Short: "List events, the latest first",
		Long: `List events, those accepted last first. With --endpoint, those that had a turn at it, in the order of their
first turns there.

The list is Temporal's own and a moment behind; 'hookloop event get' is not.`,
		Example: `  hookloop event list --status failed
  hookloop event list --endpoint ep_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop event list --type contact.updated --after 2026-01-31T00:00:00Z --all --json`,
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&q.Endpoint, "endpoint", "", "only those that had a turn at this endpoint, an `id`")
	f.StringVar(&q.Type, "type", "", "only events of this type")
	f.StringVar(&status, "status", "", "only delivering, delivered or failed ones")
	f.StringVar(&q.After, "after", "", "only those accepted after this `time`: RFC 3339, a day, or how long ago")
	f.StringVar(&q.Before, "before", "", "only those accepted before this `time`")
	return listing(o, c, func(g *gateway, _ []string, page api.PageQuery) client.List[api.EventItem] {
		q.Status, q.PageQuery = api.EventStatus(status), page
		return g.Events.List(q)
	}, showEvents)
}

func showEvents(w io.Writer, all []api.EventItem) error {
	t, now := terminal.Columns(w), time.Now()
	terminal.Row(t, "ID", "TYPE", "STATUS", "ACCEPTED")
	for _, e := range all {
		terminal.Row(t, e.ID, cmp.Or(e.Type, "-"), string(e.Status), terminal.When(w, e.AcceptedAt, now))
	}
	return t.Flush()
}

type waitOptions struct {
	wait    bool
	timeout time.Duration
}

func (o *waitOptions) register(f *pflag.FlagSet) {
	f.BoolVar(&o.wait, "wait", false, "wait until all deliveries have ended")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long --wait waits")
}

func (o *waitOptions) check(c *cobra.Command, _ []string) error {
	switch {
	case o.timeout <= 0:
		return terminal.Usage("--timeout must be longer than 0s")
	case c.Flags().Changed("timeout") && !o.wait:
		return terminal.Usage("--timeout goes with --wait")
	}
	return nil
}

// waitAndShow shows the event once it has ended, or what there is when patience ends. An event
// delivered everywhere is a success, and so is one that no endpoint wanted, which is said.
func waitAndShow(g *gateway, id string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(g.command.Context(), patience)
	defer cancel()
	last, err := g.Events.Get(id).Until(ctx, client.Ended)
	over := errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil
	switch {
	case over && last.JSON == nil:
		return fmt.Errorf("event %s: the gateway could not tell within %s", id, patience)
	case err != nil && !over:
		return fmt.Errorf("event %s: %w", id, err)
	}
	if err := showAnswer(g, last.JSON, g.showEvent); err != nil {
		return err
	}
	switch last.Value.Status {
	case api.EventDelivered:
		return nil
	case api.EventUnmatched:
		return terminal.Say(g.command.ErrOrStderr(), "no endpoint of tenant %s wanted the event\n", g.tenant)
	case api.EventDelivering:
		return fmt.Errorf("event %s is still being delivered after %s; that goes on without this command", id, patience)
	case api.EventFailed:
	}
	return fmt.Errorf("event %s was not delivered everywhere", id)
}

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

// eraseOptions say what is erased or held: an event by its id, or a subject's.
type eraseOptions struct {
	subject, reason string
	cancel          bool
}

func (e *eraseOptions) register(c *cobra.Command) {
	c.Flags().StringVar(&e.subject, "subject", "", "instead of ID: all that concerns a `subject`, as the events were posted")
	c.Flags().StringVar(&e.reason, "reason", "", "why: it stays in the audit (required)")
}

func (e *eraseOptions) check(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 && e.subject == "":
		return terminal.Usage("give the ID of an event, or --subject; see %s --help", c.CommandPath())
	case len(args) > 0 && c.Flags().Changed("subject"):
		return terminal.Usage("--subject goes without an ID")
	case e.reason == "":
		return terminal.Usage("--reason is missing: it says in the audit why")
	}
	return nil
}

func newEventErase(o *options) *cobra.Command {
	var e eraseOptions
	c := &cobra.Command{
		Use:   "erase [ID]",
		Short: "Erase what an event says, or all that concerns a subject",
		Long: `Erase what an event says, for good: its data and the answers of endpoints to it go from Temporal's histories, from the
registry and from the memory of the gateway, and from archives at their next run. What stays is who wanted it, when,
why, and the SHA-256 of the data; 'event get' and 'audit show' tell it. It cannot be redelivered then.

With --subject, every event that was posted with that subject, twenty at a time; interrupted, the same command goes
on. An event that is being delivered is refused unless --cancel ends its deliveries; one under a legal hold
('event hold') is refused in any case. It takes a token with the scope audit:erase.`,
		Example: `  hookloop event erase evt_01jzc8m3v7q2w5x9y1b4d6f8hk --reason 'request 17'
  hookloop event erase --subject customer-4711 --reason 'request 17'`,
		Args:    cobra.MaximumNArgs(1),
		PreRunE: e.check,
		RunE: o.with(func(g *gateway, args []string) error {
			if e.subject != "" {
				return g.eraseSubject(e)
			}
			return show(g, g.Events.Erase(args[0], api.ErasureQuery{Reason: e.reason, Cancel: e.cancel}), showErasure)
		}),
	}
	e.register(c)
	c.Flags().BoolVar(&e.cancel, "cancel", false, "also what is being delivered: its deliveries end")
	return c
}

func showErasure(w io.Writer, e api.Erasure) error {
	what := "is erased"
	if e.Status != api.IsGone {
		what = "is being erased; that goes on by itself"
	}
	return terminal.Say(w, "%s %s: %d bytes, SHA-256 %s\nasked for by %s on %s: %s\n", e.EventID, what, e.DataBytes,
		cmp.Or(e.DataSHA256, "unknown, the data was gone already"), e.By, terminal.UTC(e.AskedAt), e.Reason)
}

// errRefused says that some events are still there.
var errRefused = errors.New("some of the subject's events were not erased")

// eraseSubject erases page by page, and tells people how far it is.
func (g *gateway) eraseSubject(e eraseOptions) error {
	order := api.SubjectErasure{Subject: e.subject, Reason: e.reason, Cancel: e.cancel}
	all := api.SubjectErased{Erased: []api.Erasure{}, Refused: []api.ErasureRefused{}}
	soFar := terminal.Progress(g.command.ErrOrStderr())
	for {
		page, err := g.Subjects.Erase(order).Do(g.command.Context())
		if err != nil {
			return err
		}
		all.Erased, all.Refused = append(all.Erased, page.Erased...), append(all.Refused, page.Refused...)
		if order.After = page.Next; order.After == "" {
			break
		}
		soFar(terminal.Count(len(all.Erased), "event") + " so far")
	}
	if err := g.showSubject(all); err != nil {
		return err
	}
	if len(all.Refused) > 0 {
		return errRefused
	}
	return nil
}

func (g *gateway) showSubject(all api.SubjectErased) error {
	w := g.command.OutOrStdout()
	if g.asJSON {
		return terminal.JSON(w, all)
	}
	for _, r := range all.Refused {
		if err := terminal.Say(w, "%s not erased: %s\n", r.EventID, r.Why); err != nil {
			return err
		}
	}
	underWay := 0
	for _, e := range all.Erased {
		if e.Status != api.IsGone {
			underWay++
		}
	}
	text := terminal.Count(len(all.Erased), "event") + " erased"
	if underWay > 0 {
		text += fmt.Sprintf(", %d of them still under way; that goes on by itself", underWay)
	}
	return terminal.Say(w, "%s\n", text)
}

func newEventHold(o *options) *cobra.Command {
	return newHold(o, &cobra.Command{
		Use:   "hold [ID]",
		Short: "Forbid to erase an event, or all that concerns a subject",
		Long: `Put an event under a legal hold, or with --subject all that was or will be posted with that subject: 'event erase' then
refuses it, and says who wanted that and why. It takes a token with the scope audit:hold.`,
		Example: `  hookloop event hold evt_01jzc8m3v7q2w5x9y1b4d6f8hk --reason 'case 12'
  hookloop event hold --subject customer-4711 --reason 'case 12'`,
	}, "is under a legal hold", client.Events.Hold, client.Subjects.Hold)
}

func newEventUnhold(o *options) *cobra.Command {
	return newHold(o, &cobra.Command{
		Use:     "unhold [ID]",
		Short:   "Allow again to erase an event, or all that concerns a subject",
		Long:    `End a legal hold. It takes a token with the scope audit:hold.`,
		Example: `  hookloop event unhold evt_01jzc8m3v7q2w5x9y1b4d6f8hk --reason 'case 12 is closed'`,
	}, "is under no legal hold any more", client.Events.Unhold, client.Subjects.Unhold)
}

// newHold makes c the command that forbids or allows.
func newHold(
	o *options, c *cobra.Command, became string, event func(client.Events, string, api.HoldOrder) client.Call[api.Hold],
	subject func(client.Subjects, api.SubjectHoldOrder) client.Call[api.Hold],
) *cobra.Command {
	var e eraseOptions
	c.Args = cobra.MaximumNArgs(1)
	c.PreRunE = e.check
	c.RunE = o.with(func(g *gateway, args []string) error {
		call, what := subject(g.Subjects, api.SubjectHoldOrder{Subject: e.subject, Reason: e.reason}), "the subject"
		if e.subject == "" {
			call, what = event(g.Events, args[0], api.HoldOrder{Reason: e.reason}), args[0]
		}
		return show(g, call, func(w io.Writer, h api.Hold) error {
			return terminal.Say(w, "%s %s: %s, %s, %s\n", what, became, h.By, terminal.UTC(h.At), h.Reason)
		})
	})
	e.register(c)
	return c
}

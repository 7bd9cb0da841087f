package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newApprovalShow(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "show ENDPOINT",
		Short: "Show all there is to decide with",
		Long: `Show all there is to decide with: which endpoint, since when it fails, what it answered last, how many
deliveries wait, until when to decide, and what each decision will do.`,
		Example: `  hookloop approval show ep_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    byEndpoint,
		RunE:    o.with(func(g *gateway, args []string) error { return g.showApproval(args[0]) }),
	}
}

func (g *gateway) showApproval(id string) error {
	return show(g, g.Approvals.Get(id), func(w io.Writer, a api.Approval) error {
		p := approvalPicture{Approval: a, now: time.Now()}
		p.EndpointID = cmp.Or(p.EndpointID, id)
		// Where it leads helps, but the endpoint may be deleted, or not for this token to read.
		p.endpoint, _ = g.Endpoints.Get(id).Do(g.command.Context())
		_, err := io.WriteString(w, p.String()+g.workflowLink(a.WorkflowID, a.RunID))
		return err
	})
}

// approvalPicture is an approval for people.
type approvalPicture struct {
	api.Approval

	endpoint api.Endpoint // without a URL: not known
	now      time.Time
}

func (p approvalPicture) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", terminal.OneLine(p.EndpointID), because(string(p.Status), p.Reason))
	if p.endpoint.URL != "" {
		b.WriteString(strings.TrimSpace(terminal.OneLine(p.endpoint.URL+"  "+p.endpoint.Description)) + "\n")
	}
	b.WriteString("\n")
	p.facts(&b)
	p.answers(&b)
	b.WriteString(p.next())
	return b.String()
}

func (p approvalPicture) facts(w io.Writer) {
	t := terminal.Columns(w)
	if p.FailingSince != nil {
		terminal.Row(t, "failing since", terminal.UTC(*p.FailingSince)+" ("+ago(p.now, *p.FailingSince)+")")
	}
	if p.AskedAt != nil {
		terminal.Row(t, "asked", terminal.UTC(*p.AskedAt))
	}
	if p.DecideBy != nil && p.Status == api.ApprovalAwaiting {
		terminal.Row(t, "decide by", terminal.UTC(*p.DecideBy)+" ("+until(p.now, *p.DecideBy)+"), else it is rejected")
	}
	if p.AskAt != nil {
		terminal.Row(t, "people are asked", terminal.UTC(*p.AskAt)+" ("+until(p.now, *p.AskAt)+"), unless it takes a delivery before")
	}
	if p.Waiting != nil {
		waiting := terminal.Count(*p.Waiting, "delivery")
		if p.CountedAt != nil {
			waiting += ", counted " + ago(p.now, *p.CountedAt)
		}
		terminal.Row(t, "waiting", waiting)
	}
	if p.Released > 0 {
		terminal.Row(t, "released", terminal.Count(p.Released, "delivery"))
	}
	if p.Decision != nil {
		terminal.Row(t, "decided", moment(p.DecidedAt)+" by "+because(cmp.Or(p.Decision.By, "a person without a name"), p.Decision.Reason))
	}
	_ = t.Flush() // into memory
}

// answers are the endpoint's last ones: what a person judges by.
func (p approvalPicture) answers(w io.Writer) {
	if len(p.LastAnswers) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w, "\nlast answers")
	t := terminal.Columns(w)
	for _, a := range p.LastAnswers {
		terminal.Row(t, "  "+terminal.UTC(a.At), a.String(), a.EventID)
	}
	_ = t.Flush()
}

// next tells what can be done, and the very commands.
func (p approvalPicture) next() string {
	id := terminal.OneLine(p.EndpointID)
	switch p.Status {
	case api.ApprovalAwaiting:
		return fmt.Sprintf(`
approve  sends the oldest delivery that waits as a probe; if it arrives, the endpoint is active and the
         others follow, the oldest first, %d a second unless --rate says otherwise; if only that event is
         refused, the next two are tried; if none arrives, the endpoint is held again
reject   disables the endpoint; what waits ends as rejected, and can be redelivered later

  hookloop approval approve %s --reason 'why'
  hookloop approval reject %s --reason 'why'
`, webhook.DefaultReleaseRate, id, id)
	case api.ApprovalWatching:
		return "\nIt may recover by itself; people are not asked yet. 'hookloop endpoint pause " + id + "' stops deliveries now.\n\n" +
			"Next: hookloop approval watch " + id + "\n"
	case api.ApprovalProbing, api.ApprovalReleasing:
		return "\nNext: hookloop approval watch " + id + "\n"
	case api.ApprovalRejected:
		return fmt.Sprintf("\nTo bring it back, and then what it missed:\n\n  hookloop endpoint resume %s\n  hookloop endpoint recover %s --since %s\n",
			id, id, p.missedSince())
	case api.ApprovalCancelled:
		if p.endpoint.State == api.EndpointPaused {
			return "\nNext: hookloop endpoint resume " + id + "\n"
		}
	case api.ApprovalReleased, api.ApprovalRecovered:
	}
	return ""
}

// missedSince lies before the failing was noticed: a delivery may have been in trouble for a while.
func (p approvalPicture) missedSince() string {
	if p.FailingSince == nil {
		return "24h"
	}
	return terminal.UTC(p.FailingSince.Add(-time.Hour))
}

func ago(now, at time.Time) string {
	if d := now.Sub(at).Round(time.Second); d > 0 {
		return d.String() + " ago"
	}
	return "just now"
}

package cli

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newApproval(version string) *cobra.Command {
	o := options{version: version}
	c := group("approval", "Decide about endpoints that keep failing",
		`Decide about endpoints that keep failing.

An endpoint that has failed for a while is held: nothing is sent there, its deliveries wait and spend
no attempts, and a person is asked. Approved, it gets the oldest delivery as a probe and, if that
arrives, the others at a pace. Rejected, it is disabled and what waits ends as rejected. Without a
decision it is rejected in the end; 'hookloop approval list' shows when.

How long it may fail, and how long people have, is the endpoint's --approval-after and
--approval-timeout ('hookloop endpoint update').`, &o,
		newApprovalList(&o), newApprovalShow(&o), newApprovalApprove(&o), newApprovalReject(&o), newApprovalWatch(&o))
	c.Example = `  hookloop approval list
  hookloop approval show ep_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop approval approve ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'their firewall is mended'
  hookloop approval reject ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'the customer has left'
  hookloop approval watch`
	return c
}

// byEndpoint wants an endpoint's id and nothing else: an approval has none of its own.
func byEndpoint(c *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(c, args); err != nil {
		return err
	}
	return endpointsOnly(c, args)
}

func endpointsOnly(_ *cobra.Command, args []string) error {
	for _, id := range args {
		if !strings.HasPrefix(id, webhook.EndpointPrefix) {
			return fmt.Errorf("an approval has its endpoint's id, ep_…, not %q", id)
		}
	}
	return nil
}

func newApprovalList(o *options) *cobra.Command {
	var status string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the endpoints that keep failing",
		Long: `List the endpoints that keep failing: those watched, those held until a person decides, those being
released. --status lists others: watching, awaiting-approval, probing, releasing; and ended ones:
released, recovered, rejected, cancelled.

The list is Temporal's own and a moment behind; 'hookloop approval show' is not.`,
		Example: `  hookloop approval list --status awaiting-approval
  hookloop approval list --status rejected --all --json`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&status, "status", "", "only those with this status")
	return listing(o, c, func(g *gateway, _ []string, page api.PageQuery) client.List[api.Approval] {
		return g.Approvals.List(api.ApprovalQuery{Status: api.ApprovalStatus(status), PageQuery: page})
	}, showApprovals)
}

func showApprovals(w io.Writer, all []api.Approval) error {
	t, now := terminal.Columns(w), time.Now()
	terminal.Row(t, "ENDPOINT", "WHERE", "STATUS", "FAILING SINCE", "DECIDE BY", "WAITING", "REASON")
	for _, a := range all {
		terminal.Row(t, a.EndpointID, cmp.Or(nameOf(a.Endpoint), "-"), string(a.Status), when(w, a.FailingSince, now), when(w, a.DecideBy, now), countOf(a.Waiting), a.Reason)
	}
	return t.Flush()
}

// moment writes a time that may not have come.
func moment(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return terminal.UTC(*t)
}

// when writes a time in a list, that may not have come.
func when(w io.Writer, t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return terminal.When(w, *t, now)
}

// countOf writes a number that may not be known, as moment does a time.
func countOf(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}

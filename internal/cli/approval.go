package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newApproval(version string) *cobra.Command {
	o := clientOptions{version: version}
	c := newGroup("approval", "Decide about endpoints that keep failing",
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

func approvalPath(endpointID string) string { return "/approvals/" + url.PathEscape(endpointID) }

// byEndpoint wants an endpoint's id and nothing else: an approval has none of its own.
func byEndpoint(c *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(c, args); err != nil {
		return err
	}
	return endpointsOnly(c, args)
}

func endpointsOnly(_ *cobra.Command, args []string) error {
	for _, id := range args {
		if !strings.HasPrefix(id, "ep_") {
			return fmt.Errorf("an approval goes by its endpoint's id, ep_…, not %q", id)
		}
	}
	return nil
}

func newApprovalList(o *clientOptions) *cobra.Command {
	var p pageOptions
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
		RunE: func(c *cobra.Command, _ []string) error { return runApprovalList(c, o, status, p) },
	}
	c.Flags().StringVar(&status, "status", "", "only those with this status")
	p.register(c.Flags())
	return c
}

func runApprovalList(c *cobra.Command, o *clientOptions, status string, p pageOptions) error {
	if err := p.check(); err != nil {
		return err
	}
	query := url.Values{}
	if status != "" {
		query.Set("status", status)
	}
	get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
		return gateway.list(ctx, "/approvals", query, p)
	}
	return o.ask(c, get, as(func(w io.Writer, page listOf[webhook.ApprovalReport]) error {
		t := terminal.Columns(w)
		terminal.Row(t, "ENDPOINT", "STATUS", "FAILING SINCE", "DECIDE BY", "WAITING", "REASON")
		for _, a := range page.Data {
			terminal.Row(t, a.EndpointID, string(a.Status), moment(a.FailingSince), moment(a.DecideBy), countOf(a.Waiting), a.Reason)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		moreHint(c.ErrOrStderr(), c.CommandPath(), page.next())
		return nil
	}))
}

// moment writes a time that may not have come.
func moment(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return terminal.UTC(*t)
}

// countOf writes a number that may not be known, as moment does a time.
func countOf(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}

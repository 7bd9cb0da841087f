package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

// decisionFlags are what a person adds to a decision. Who it is, the gateway knows from the token.
type decisionFlags struct {
	reason string
	rate   float64
}

func (d *decisionFlags) registerReason(f *pflag.FlagSet) {
	f.StringVar(&d.reason, "reason", "", "why, for those who read the history")
}

func (d *decisionFlags) registerRate(f *pflag.FlagSet) {
	f.Float64Var(&d.rate, "rate", webhook.DefaultReleaseRate,
		fmt.Sprintf("deliveries let go a second, %g to %d", webhook.MinReleaseRate, webhook.MaxReleaseRate))
}

// read gives the decision. A rate that was not given is the gateway's to choose.
func (d *decisionFlags) read(c *cobra.Command) (api.Release, error) {
	given := api.Release{Reason: d.reason}
	if c.Flags().Changed("rate") {
		given.RatePerSecond = d.rate
		if (webhook.Decision{RatePerSecond: d.rate}).Check() != nil || d.rate == 0 { // to the API, zero is the default
			return given, terminal.Usage("--rate must lie between %g and %d", webhook.MinReleaseRate, webhook.MaxReleaseRate)
		}
	}
	return given, nil
}

func newApprovalApprove(o *options) *cobra.Command {
	var d decisionFlags
	c := &cobra.Command{
		Use:   "approve ENDPOINT",
		Short: "Send to a held endpoint again",
		Long: `Send to a held endpoint again. The oldest delivery that waits is its probe. If that arrives, the
endpoint is active and the others follow at a pace, the oldest first. If it does not, the endpoint is
held again and 'hookloop approval show' tells why.

It goes on without this command; 'hookloop approval watch' follows it.`,
		Example: `  hookloop approval approve ep_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop approval approve ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'their firewall is mended' --rate 50`,
		Args: byEndpoint,
		RunE: func(c *cobra.Command, args []string) error {
			return decide(c, o, d, func(g *gateway, r api.Release) client.Call[api.Approval] {
				return g.Approvals.Approve(args[0], r)
			}, showApproved)
		},
	}
	d.registerReason(c.Flags())
	d.registerRate(c.Flags())
	return c
}

func newApprovalReject(o *options) *cobra.Command {
	var d decisionFlags
	c := &cobra.Command{
		Use:   "reject ENDPOINT",
		Short: "Disable a held endpoint",
		Long: `Disable a held endpoint. The deliveries that wait end as rejected, with the reason. New events no
longer go there. 'hookloop endpoint resume' and 'hookloop endpoint recover' bring both back.`,
		Example: `  hookloop approval reject ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'the customer has left'`,
		Args:    byEndpoint,
		RunE: func(c *cobra.Command, args []string) error {
			return decide(c, o, d, func(g *gateway, r api.Release) client.Call[api.Approval] {
				return g.Approvals.Reject(args[0], api.Instruction{Reason: r.Reason})
			}, showRejected)
		},
	}
	d.registerReason(c.Flags())
	return c
}

// decide hands a decision to the gateway and tells what follows.
func decide[T any](
	c *cobra.Command, o *options, d decisionFlags,
	call func(*gateway, api.Release) client.Call[T], display func(io.Writer, T, api.Release) error,
) error {
	given, err := d.read(c)
	if err != nil {
		return err
	}
	g, err := o.connect(c)
	if err != nil {
		return err
	}
	return show(g, call(g, given), func(w io.Writer, answer T) error { return display(w, answer, given) })
}

func showApproved(w io.Writer, a api.Approval, given api.Release) error {
	return terminal.Say(w, "%s is approved: %s\n\nNext: hookloop approval watch %s\n", a.EndpointID, probeFirst(given, a.Waiting), a.EndpointID)
}

// probeFirst tells how a release goes; waiting is nil if it is not known.
func probeFirst(given api.Release, waiting *int) string {
	rate := webhook.Decision{RatePerSecond: given.RatePerSecond}.Rate()
	line := fmt.Sprintf("the oldest delivery that waits is its probe; if that arrives, the others follow, %v a second", rate)
	if waiting != nil && *waiting > 1 {
		takes := time.Duration(float64(*waiting) / rate * float64(time.Second)).Round(time.Second)
		line += fmt.Sprintf(", %d in about %s", *waiting, takes)
	}
	return line
}

func showRejected(w io.Writer, a api.Approval, _ api.Release) error {
	what := "what waits"
	if a.Waiting != nil && *a.Waiting > 0 { // the count is a moment old: none may be not counted yet
		what += " (" + terminal.Count(*a.Waiting, "delivery") + ")"
	}
	return terminal.Say(w, "%s is rejected: it is disabled, and %s ends as rejected\n\nNext: hookloop approval show %s\n", a.EndpointID, what, a.EndpointID)
}

package cli

import (
	"io"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newEndpointPause(o *options) *cobra.Command {
	var d decisionFlags
	c := &cobra.Command{
		Use:   "pause ID",
		Short: "Send an endpoint nothing for a while",
		Long: `Send an endpoint nothing until 'hookloop endpoint resume'. Events are accepted as before; their
deliveries wait, and spend no attempts. Attempts under way finish. An approval that is open ends.`,
		Example: `  hookloop endpoint pause ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'they move to another data centre'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return decide(c, o, d, func(g *gateway, r api.Release) client.Call[api.Endpoint] {
				return g.Endpoints.Pause(args[0], api.Instruction{Reason: r.Reason})
			}, func(w io.Writer, e api.Endpoint, _ api.Release) error {
				return terminal.Say(w, "%s is paused; its deliveries wait\n\nNext: hookloop endpoint resume %s\n", e.ID, e.ID)
			})
		},
	}
	d.registerReason(c.Flags())
	return c
}

func newEndpointResume(o *options) *cobra.Command {
	var d decisionFlags
	c := &cobra.Command{
		Use:   "resume ID",
		Short: "Send to an endpoint again that is not active",
		Long: `Send to an endpoint again that is paused, held, or disabled by a rejection. The oldest delivery that
waits is its probe. If that arrives, the endpoint is active and the others follow at a pace, the
oldest first; if not, it is held and a person is asked. Deliveries that a rejection ended come back
with 'hookloop endpoint recover'.`,
		Example: `  hookloop endpoint resume ep_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop endpoint resume ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'they are back' --rate 50`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return decide(c, o, d, func(g *gateway, r api.Release) client.Call[api.Endpoint] {
				return g.Endpoints.Resume(args[0], r)
			}, func(w io.Writer, e api.Endpoint, given api.Release) error {
				return terminal.Say(w, "%s resumes: %s\n\nNext: hookloop approval watch %s\n", e.ID, probeFirst(given, nil), e.ID)
			})
		},
	}
	d.registerReason(c.Flags())
	d.registerRate(c.Flags())
	return c
}

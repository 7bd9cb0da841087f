package cli

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newEndpointPause(o *clientOptions) *cobra.Command {
	var d decisionFlags
	c := &cobra.Command{
		Use:   "pause ID",
		Short: "Send an endpoint nothing for a while",
		Long: `Send an endpoint nothing until 'hookloop endpoint resume'. Events are accepted as before; their
deliveries wait, and spend no attempts. Attempts under way finish. An approval that is open ends.`,
		Example: `  hookloop endpoint pause ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --reason 'they move to another data centre'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return changeState(c, o, args[0], "pause", d, func(w io.Writer, id string, _ webhook.Decision) error {
				_, err := fmt.Fprintf(w, "%s is paused; its deliveries wait\n\nNext: hookloop endpoint resume %s\n", id, id)
				return err
			})
		},
	}
	d.registerReason(c.Flags())
	return c
}

func newEndpointResume(o *clientOptions) *cobra.Command {
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
			return changeState(c, o, args[0], "resume", d, func(w io.Writer, id string, given webhook.Decision) error {
				_, err := fmt.Fprintf(w, "%s resumes: %s\n\nNext: hookloop approval watch %s\n",
					id, probeFirst(given, nil), id)
				return err
			})
		},
	}
	d.registerReason(c.Flags())
	d.registerRate(c.Flags())
	return c
}

// changeState pauses or resumes an endpoint and tells what follows.
func changeState(
	c *cobra.Command, o *clientOptions, id, order string, d decisionFlags, tell func(io.Writer, string, webhook.Decision) error,
) error {
	given, body, err := d.read(c)
	if err != nil {
		return err
	}
	r := apiRequest{method: http.MethodPost, path: endpointPath(id) + "/" + order, body: body}
	return o.run(c, r, func(w io.Writer, _ []byte) error { return tell(w, terminal.OneLine(id), given) })
}

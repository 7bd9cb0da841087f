package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// secretFlags bring a secret of one's own.
type secretFlags struct{ value, file string }

func (s *secretFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.value, "secret", "", "a `secret` of your own, whsec_…; other users of this machine may see it")
	f.StringVar(&s.file, "secret-file", "", "a `file` that holds the secret; - is standard input")
}

// read gives the secret as it stands there; the gateway says what is wrong with it. Empty: none.
func (s *secretFlags) read(c *cobra.Command) (string, error) {
	if s.file == "" {
		return s.value, nil
	}
	if s.value != "" {
		return "", terminal.Usage("give --secret or --secret-file, not both")
	}
	return readSecret(c, s.file)
}

// showSecret prints nothing else, so that $(hookloop endpoint secret …) works.
func showSecret(w io.Writer, s api.Secret) error { return terminal.Say(w, "%s\n", s.Secret) }

func newEndpointSecret(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "secret ID",
		Short:   "Print the secret that signs",
		Long:    `Print the secret that signs what an endpoint receives, and nothing else.`,
		Example: `  hookloop listen --secret "$(hookloop endpoint secret ep_01jzc8k0a2n4p6r8s0t2v4w6x8)"`,
		Args:    cobra.ExactArgs(1),
		RunE:    o.with(func(g *gateway, args []string) error { return show(g, g.Endpoints.Secret(args[0]), showSecret) }),
	}
}

func newEndpointRotate(o *options) *cobra.Command {
	var overlap time.Duration
	c := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give an endpoint a new secret",
		Long: `Give an endpoint a new secret, and print it and nothing else. Until the overlap is over, deliveries are
signed with the old one as well, so that the endpoint can change without missing any.`,
		Example: `  hookloop endpoint rotate ep_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop endpoint rotate ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --overlap 0s   # the old one has leaked`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if overlap < 0 {
				return terminal.Usage("--overlap must not be negative")
			}
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			rotation := api.SecretRotation{Overlap: (*api.Duration)(&overlap)}
			return show(g, g.Endpoints.RotateSecret(args[0], rotation), showSecret)
		},
	}
	c.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the old secret signs too")
	return c
}

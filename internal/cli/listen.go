package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/terminal"
)

// stopPatience is how long answers under way have to finish when listen ends.
const stopPatience = time.Second

type listenOptions struct {
	options

	listen   string
	secret   string
	endpoint string
	fail     string
	script   string
	delay    time.Duration
	count    int
	raw      bool
	forward  string
}

func newListen(version string) *cobra.Command {
	o := listenOptions{options: options{version: version}}
	c := &cobra.Command{
		Use:   "listen",
		Short: "Receive deliveries, verify them and show them",
		Long: `Receive deliveries, verify their signatures and show them: an endpoint to try things with. It can
misbehave on demand. Ctrl-C ends it.

The secret comes from --secret, or from the gateway: that of --endpoint, or those of the tenant's
endpoints with this very address. They are looked up as deliveries arrive, so it does not matter
which comes first, 'listen' or 'endpoint create'. Without a gateway deliveries are shown unverified.

--fail is one answer, --script several: a status, "hang" (never answer) or "drop" (break the
connection). 503:3 is said three times and then 200 follows; a plain last answer repeats.

--forward relays each delivery that verifies, as it came, to an app under development, and the app's answer back; what does
not verify is answered with 401. An app that cannot be reached is a 502.` + gatewayHelp,
		Example: `  hookloop listen
  hookloop listen --forward http://127.0.0.1:3000/hooks
  hookloop listen --fail 503:3
  hookloop listen --script "503 hang:2 500:1" --delay 2s
  hookloop listen --secret "$SECRET" --count 1 --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runListen(c, o) },
	}
	f := c.Flags()
	o.register(f)
	f.StringVar(&o.listen, "listen", "127.0.0.1:9000", "`host:port` to receive at")
	f.StringVar(&o.secret, "secret", "", "verify with this `secret`, whsec_…")
	f.StringVar(&o.endpoint, "endpoint", "", "verify with the secret of this endpoint, an `id`")
	f.StringVar(&o.fail, "fail", "", "misbehave: an `answer`, always, or so many times: 503:3")
	f.StringVar(&o.script, "script", "", "one `answer` after the other: \"503 503 200\"")
	f.DurationVar(&o.delay, "delay", 0, "wait before each answer")
	f.IntVar(&o.count, "count", 0, "exit after so many deliveries; 0: never")
	f.StringVar(&o.forward, "forward", "", "relay what is verified to this `URL`, and its answers back")
	f.BoolVar(&o.raw, "raw", false, "show bodies as they came, not indented")
	return c
}

// check gives the script of answers and the secret, or says which flag is wrong.
func (o listenOptions) check() (script string, secret signature.Secret, err error) {
	switch {
	case o.forward != "" && (o.fail != "" || o.script != "" || o.delay != 0):
		return "", secret, terminal.Usage("with --forward the app answers: give no --fail, --script or --delay")
	case o.forward != "" && !isURL(o.forward):
		return "", secret, terminal.Usage("--forward must be a URL like http://127.0.0.1:3000/hooks")
	case o.fail != "" && o.script != "":
		return "", secret, terminal.Usage("give --fail or --script, not both")
	case o.secret != "" && o.endpoint != "":
		return "", secret, terminal.Usage("give --secret or --endpoint, not both")
	case o.delay < 0 || o.count < 0:
		return "", secret, terminal.Usage("--delay and --count must not be negative")
	}
	script = o.fail + o.script
	if _, err := endpointtest.ParseScript(script); err != nil {
		return "", secret, terminal.Usage("--fail and --script: %w", err)
	}
	if o.secret != "" {
		if secret, err = signature.ParseSecret(o.secret); err != nil {
			return "", secret, terminal.Usage("--secret %w", err)
		}
	}
	return script, secret, nil
}

func runListen(c *cobra.Command, o listenOptions) error {
	script, secret, err := o.check()
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(c.Context(), "tcp", o.listen)
	if err != nil {
		return terminal.ListenError("listen", "--listen", o.listen, err)
	}
	defer func() { _ = l.Close() }()
	keys := o.keyring(c, l.Addr(), secret)
	show := &receipts{w: c.OutOrStdout(), asJSON: o.asJSON, raw: o.raw, left: o.count, enough: make(chan struct{})}
	if err := show.greet(c.Context(), "http://"+l.Addr().String()+"/", keys); err != nil {
		return err
	}
	if o.forward != "" {
		return serveUntil(c.Context(), l, newForwarder(o.forward, keys, show), show.enough, stopPatience)
	}
	endpoint, err := endpointtest.New(endpointtest.Config{
		Script: script, Delay: o.delay, Forget: true,
		OnReceipt: func(r endpointtest.Receipt) { show.add(r, keys.verify(c.Context(), r)) },
	})
	if err != nil {
		return err
	}
	return serveUntil(c.Context(), l, endpoint, show.enough, o.delay+stopPatience)
}

// serveUntil serves until ctx ends or there was enough. Answers under way get the patience to
// finish, except after Ctrl-C.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler, enough <-chan struct{}, patience time.Duration) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("listen: %w", err)
	case <-ctx.Done():
		patience = stopPatience
	case <-enough:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := srv.Shutdown(ending); errors.Is(err, context.DeadlineExceeded) {
		_ = srv.Close() // a script that hangs never finishes
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

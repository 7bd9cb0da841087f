package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/terminal"
	"hookloop/internal/token"
)

// clientTimeout bounds one request to the gateway, answer included.
const clientTimeout = 30 * time.Second

// clientHelp ends the help of every command that talks to a gateway.
const clientHelp = `

Where the gateway is, the tenant and the token come from the flags, else from HOOKLOOP_GATEWAY,
HOOKLOOP_TENANT and HOOKLOOP_TOKEN, else from what 'hookloop dev' wrote to <data>/dev.json. In the
environment of a gateway, as inside its container, that gateway is meant: HOOKLOOP_LISTEN says where it is,
and HOOKLOOP_JWT_SECRET signs a token for it.`

// ownTokenTTL is how long a token is good that a command signs for itself: some watch for hours.
const ownTokenTTL = 12 * time.Hour

// clientOptions are the flags of a command that talks to a gateway.
type clientOptions struct {
	version string // of this hookloop, for the User-Agent
	data    string
	gateway string
	tenant  string
	token   string
	asJSON  bool
}

func (o *clientOptions) register(f *pflag.FlagSet) {
	f.StringVar(&o.data, "data", devdir.Default, "`folder` of 'hookloop dev'")
	f.StringVar(&o.gateway, "gateway", "", "base `URL` of the gateway")
	f.StringVar(&o.tenant, "tenant", "", "whose endpoints and events")
	f.StringVar(&o.token, "token", "", "bearer token; HOOKLOOP_TOKEN keeps it out of the process list")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// connect finds the gateway. Each field is taken from the first that knows it: flag, environment,
// known. What that says of a token holds for its own gateway only: a token is never sent to a gateway
// that it was not made for.
func (o *clientOptions) connect() (*gatewayClient, error) {
	env := config.ReadClient(config.OS)
	c := &gatewayClient{
		gateway: cmp.Or(o.gateway, env.Gateway), tenant: cmp.Or(o.tenant, env.Tenant), token: cmp.Or(o.token, env.Token),
		version: o.version, http: newHTTPClient(),
	}
	known, err := o.known(env)
	if err != nil && (c.gateway == "" || c.tenant == "" || c.token == "") {
		return nil, err
	}
	c.gateway = strings.TrimRight(cmp.Or(c.gateway, known.Gateway), "/")
	if err := checkGateway(c.gateway); err != nil {
		return nil, err
	}
	if c.gateway == strings.TrimRight(known.Gateway, "/") {
		c.tenant, c.token = cmp.Or(c.tenant, known.Tenant), cmp.Or(c.token, known.Token)
		if known.UI != "" {
			c.ui = known.UI + "/namespaces/" + url.PathEscape(known.Namespace) + "/workflows/"
		}
	}
	switch {
	case c.tenant == "":
		return nil, fmt.Errorf("no tenant for %s: give --tenant or set HOOKLOOP_TENANT", c.gateway)
	case c.token == "":
		return nil, fmt.Errorf("no token for %s: give --token or set HOOKLOOP_TOKEN", c.gateway)
	}
	return c, nil
}

// known is the gateway that this environment configures, with a token that its secret signs, else what dev.json says.
// A folder that is named comes first.
func (o *clientOptions) known(env config.Client) (devdir.Running, error) {
	if o.data != devdir.Default || env.Own == "" {
		return devdir.ReadRunning(o.data)
	}
	j, err := config.ReadJWT(config.OS)
	own := devdir.Running{Gateway: env.Own}
	if err == nil && len(j.Secret) > 0 {
		own.Token, err = token.Sign(j, token.Request{
			Subject: osUser(), Tenants: []string{"*"}, Scopes: token.Scopes, TTL: ownTokenTTL, Now: time.Now(),
		})
	}
	return own, err
}

func checkGateway(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New(`the gateway must be a URL like "https://hooks.example.com"`)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the gateway's URL must not hold a user, a query or a fragment")
	}
	return nil
}

// newHTTPClient follows no redirects: the gateway sends none, and a token goes where it was meant
// to go.
func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout:       clientTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// run makes one request and shows the answer.
func (o *clientOptions) run(c *cobra.Command, r apiRequest, show func(io.Writer, []byte) error) error {
	return o.ask(c, func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
		return gateway.call(ctx, r)
	}, show)
}

// ask gets an answer somehow and shows it: the gateway's own JSON with --json.
func (o *clientOptions) ask(
	c *cobra.Command, get func(context.Context, *gatewayClient) ([]byte, error), show func(io.Writer, []byte) error,
) error {
	gateway, err := o.connect()
	if err != nil {
		return err
	}
	answer, err := get(c.Context(), gateway)
	if err != nil {
		return err
	}
	if o.asJSON {
		show = terminal.RawJSON
	}
	return show(c.OutOrStdout(), answer)
}

// as shows an answer for people.
func as[T any](show func(io.Writer, T) error) func(io.Writer, []byte) error {
	return func(w io.Writer, answer []byte) error {
		v, err := decode[T](answer)
		if err != nil {
			return err
		}
		return show(w, v)
	}
}

func decode[T any](answer []byte) (T, error) {
	var v T
	if err := json.Unmarshal(answer, &v); err != nil {
		return v, fmt.Errorf("the gateway's answer is not understood: %w", err)
	}
	return v, nil
}

// newGroup is a command that only has others below it.
func newGroup(use, short, long string, o *clientOptions, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long + clientHelp,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	o.register(c.PersistentFlags())
	c.AddCommand(commands...)
	return c
}

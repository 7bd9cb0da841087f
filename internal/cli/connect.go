package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/terminal"
	"hookloop/internal/token"
)

// gatewayHelp ends the help of every command that talks to a gateway.
const gatewayHelp = `

Where the gateway is, the tenant and the token come from the flags, else from HOOKLOOP_GATEWAY,
HOOKLOOP_TENANT and HOOKLOOP_TOKEN, else from what 'hookloop dev' wrote to <data-dir>/dev.json. In the
environment of a gateway, as inside its container, that gateway is meant: HOOKLOOP_LISTEN says where it is,
and HOOKLOOP_JWT_SECRET signs a token for it.`

// ownTokenTTL is how long a token is good that a command signs for itself: some watch for hours.
const ownTokenTTL = 12 * time.Hour

// options are the flags of a command that talks to a gateway.
type options struct {
	version string // of this hookloop, for the User-Agent
	data    string
	gateway string
	tenant  string
	token   string
	asJSON  bool
}

func (o *options) register(f *pflag.FlagSet) {
	DataDir(f, &o.data, devdir.Default, "`folder` of 'hookloop dev'")
	f.StringVar(&o.gateway, "gateway", "", "base `URL` of the gateway")
	f.StringVar(&o.tenant, "tenant", "", "whose endpoints and events")
	f.StringVar(&o.token, "token", "", "bearer token; HOOKLOOP_TOKEN keeps it out of the process list")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// DataDir is the flag for the folder of 'hookloop dev', which was called --data once and still may
// be.
func DataDir(f *pflag.FlagSet, at *string, usual, usage string) {
	f.StringVar(at, "data-dir", usual, usage)
	f.StringVar(at, "data", usual, "")
	_ = f.MarkHidden("data")
}

// gateway is where a command gets its answers, and how it shows them.
type gateway struct {
	*client.Client

	command *cobra.Command
	asJSON  bool
	data    string // folder of 'hookloop dev'
	tenant  string
	ui      string // what a workflow's page in the Temporal UI begins with; empty: not known
}

// connect finds the gateway. Each field is taken from the first that has it: flag, environment,
// known. The token of known is its gateway's only: a token never goes to a gateway that it was not
// made for.
func (o *options) connect(c *cobra.Command) (*gateway, error) {
	env := config.ReadClient(config.OS)
	cfg := client.Config{
		URL: cmp.Or(o.gateway, env.Gateway), Tenant: cmp.Or(o.tenant, env.Tenant), Token: cmp.Or(o.token, env.Token),
		UserAgent: "hookloop-cli/" + o.version, Attempts: 1, // a person sees what is wrong, and decides
	}
	known, err := o.known(env)
	if errors.Is(err, fs.ErrNotExist) && cfg.URL != "" && o.data == devdir.Default {
		err = nil // no folder was named, and none is needed: what lacks for this gateway is said below
	}
	if err != nil && (cfg.URL == "" || cfg.Tenant == "" || cfg.Token == "") {
		return nil, err
	}
	cfg.URL = strings.TrimRight(cmp.Or(cfg.URL, known.Gateway), "/")
	g := &gateway{command: c, asJSON: o.asJSON}
	if cfg.URL == strings.TrimRight(known.Gateway, "/") {
		cfg.Tenant, cfg.Token = cmp.Or(cfg.Tenant, known.Tenant), cmp.Or(cfg.Token, known.Token)
		if known.UI != "" {
			g.ui = known.UI + "/namespaces/" + url.PathEscape(known.Namespace) + "/workflows/"
		}
	}
	switch err := client.CheckURL(cfg.URL); {
	case err != nil:
		return nil, err
	case cfg.Tenant == "":
		return nil, fmt.Errorf("no tenant for %s: give --tenant or set HOOKLOOP_TENANT", cfg.URL)
	case cfg.Token == "":
		return nil, fmt.Errorf("no token for %s: give --token or set HOOKLOOP_TOKEN", cfg.URL)
	}
	g.data, g.tenant = o.data, cfg.Tenant
	g.Client, err = client.New(cfg)
	return g, err
}

// known is the gateway that this environment configures, with a token that its secret signs, else
// what dev.json says. A folder that is named comes first.
func (o *options) known(env config.Client) (devdir.Running, error) {
	if o.data != devdir.Default || env.Own == "" {
		return devdir.ReadRunning(o.data)
	}
	j, err := config.ReadJWT(config.OS)
	own := devdir.Running{Gateway: env.Own}
	if err == nil && len(j.Secret) > 0 {
		own.Token, err = token.Sign(j, token.Request{
			Subject: OSUser(), Tenants: []string{api.EveryTenant}, Scopes: api.Scopes(), TTL: ownTokenTTL, Now: time.Now(),
		})
	}
	return own, err
}

// errInterrupted ends a command that Ctrl-C ended.
var errInterrupted = errors.New("interrupted")

// explain is an error of the client as a command tells it: on one line, and with what to do about
// the usual reason.
func explain(ctx context.Context, err error) error {
	unreachable, isUnreachable := errors.AsType[*client.UnreachableError](err)
	_, isRefusal := errors.AsType[*client.Error](err)
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return errInterrupted
	case isUnreachable && errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no gateway at %s: is `hookloop dev` running?", unreachable.URL)
	case isRefusal:
		return refusedError{terminal.OneLine(err.Error()), err} // others wrote some of it
	}
	return err
}

// refusedError is what the gateway refused: in a line for people, and for scripts its problem.
type refusedError struct {
	line  string
	cause error
}

func (e refusedError) Error() string { return e.line }
func (e refusedError) Unwrap() error { return e.cause }

// MarshalJSON gives the gateway's problem details as they came.
func (e refusedError) MarshalJSON() ([]byte, error) {
	refused, ok := errors.AsType[*client.Error](e.cause)
	if !ok || refused.Code == "" {
		return json.Marshal(terminal.Problem{Detail: e.line})
	}
	return json.Marshal(refused.Problem)
}

// group is a command that has only others below it, each of which talks to a gateway.
func group(use, short, long string, o *options, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long + gatewayHelp,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	o.register(c.PersistentFlags())
	for _, sub := range commands {
		run := sub.RunE
		sub.RunE = func(c *cobra.Command, args []string) error { return explain(c.Context(), run(c, args)) }
	}
	c.AddCommand(commands...)
	o.completeIDs(c)
	return c
}

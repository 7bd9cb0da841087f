package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/terminal"
	"hookloop/internal/token"
)

type tokenOptions struct {
	data    string
	subject string
	tenants []string
	scopes  []string
	ttl     time.Duration

	endpoints []string
	owner     string
	asJSON    bool
}

func newToken() *cobra.Command {
	var o tokenOptions
	c := &cobra.Command{
		Use:   "token",
		Short: "Sign a token for the gateway",
		Long: `Sign a token (a JWT, HS256) for the gateway, and print it and nothing else.

It is signed with HOOKLOOP_JWT_SECRET or, without one, with the secret that 'hookloop dev' keeps
below <data>. HOOKLOOP_JWT_ISSUER and HOOKLOOP_JWT_AUDIENCE must be the gateway's; both default to
"hookloop". Unless told otherwise a token holds every scope for every tenant ("*"), for one hour.

Scopes: ` + strings.Join(api.Scopes(), " "),
		Example: `  curl -H "Authorization: Bearer $(hookloop token)" http://127.0.0.1:8080/v1/tenants/demo/events
  hookloop token --tenant acme --scope events:write --sub crm --ttl 720h
  hookloop token --tenant acme --owner customer-4711   # for that owner's endpoints alone`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runToken(o, c.OutOrStdout()) },
	}
	f := c.Flags()
	DataDir(f, &o.data, devdir.Default, "`folder` of 'hookloop dev'")
	f.StringVar(&o.subject, "sub", OSUser(), "who will use it; stands in the audit log")
	f.StringArrayVar(&o.tenants, "tenant", []string{"*"}, "whose data it opens, repeatable; * is every tenant's")
	f.StringArrayVar(&o.scopes, "scope", nil, "what it allows, repeatable or separated by spaces; none: everything")
	f.StringArrayVar(&o.endpoints, "endpoint", nil, "an `endpoint` that it is confined to, repeatable; with one --tenant")
	f.StringVar(&o.owner, "owner", "", "the `owner` to whose endpoints it is confined; with one --tenant")
	f.DurationVar(&o.ttl, "ttl", time.Hour, "how long it is good for")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// OSUser is who runs a command, as the operating system has it.
func OSUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "cli"
}

// mintedToken is the answer of `hookloop token --json`.
type mintedToken struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	Subject   string    `json:"sub"`
	Tenants   []string  `json:"tenants"`
	Scope     string    `json:"scope"`
}

func runToken(o tokenOptions, stdout io.Writer) error {
	scopes, err := parseScopes(o.scopes)
	if err != nil {
		return err
	}
	if o.ttl < time.Second {
		return terminal.Usage("--ttl must be at least 1s")
	}
	if o.subject == "" || slices.Contains(o.tenants, "") {
		return terminal.Usage("--sub and --tenant must not be empty")
	}
	if (len(o.endpoints) > 0 || o.owner != "") && (len(o.tenants) != 1 || o.tenants[0] == api.EveryTenant) {
		return terminal.Usage("--endpoint and --owner need one --tenant: an owner's name means something in one alone")
	}
	j, err := signingJWT(o.data)
	if err != nil {
		return err
	}
	t := token.Request{Subject: o.subject, Tenants: o.tenants, Scopes: scopes, Endpoints: o.endpoints, Owner: o.owner, TTL: o.ttl, Now: time.Now()}
	signed, err := token.Sign(j, t)
	if err != nil {
		return err
	}
	if o.asJSON {
		return terminal.JSON(stdout, mintedToken{
			Token: signed, ExpiresAt: t.Expiry(), Subject: t.Subject, Tenants: t.Tenants, Scope: strings.Join(scopes, " "),
		})
	}
	return terminal.Say(stdout, "%s\n", signed)
}

// parseScopes refuses what no gateway knows: a misspelt scope would show itself only as a 403
// later.
func parseScopes(given []string) ([]string, error) {
	if given == nil {
		return api.Scopes(), nil
	}
	scopes := strings.Fields(strings.Join(given, " "))
	if len(scopes) == 0 {
		return nil, terminal.Usage("--scope must not be empty")
	}
	for _, s := range scopes {
		if !slices.Contains(api.Scopes(), s) {
			return nil, terminal.Usage("%q is not a scope; there are %s", s, strings.Join(api.Scopes(), " "))
		}
	}
	return scopes, nil
}

// signingJWT finds the secret to sign with: the environment's, or the one `hookloop dev` made.
func signingJWT(data string) (config.JWT, error) {
	j, err := config.ReadJWT(config.OS)
	if err != nil || len(j.Secret) > 0 {
		return j, err
	}
	if j.HasKey() {
		return j, errors.New("HOOKLOOP_JWT_JWKS_… holds public keys only: tokens are signed where the private key is")
	}
	path := filepath.Join(data, "jwt.secret")
	j.Secret, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, fmt.Errorf("no %s to sign with: start `hookloop dev` first, or set HOOKLOOP_JWT_SECRET", path)
	}
	return j, err
}

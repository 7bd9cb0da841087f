package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newPortal(version string) *cobra.Command {
	o := options{version: version}
	c := group("portal", "Manage links that let owners of endpoints look after them",
		`Manage links that let owners of endpoints look after them, and say where the portal may be embedded.

A link opens pages for one endpoint, or for all of an owner: deliveries with what was sent and answered,
resend, test, secret, pause. It ends by itself, and can be revoked.`, &o,
		newPortalLink(&o), newPortalList(&o), newPortalRevoke(&o), newPortalSettings(&o))
	c.Example = `  hookloop portal link --owner customer-4711 --ttl 1h
  hookloop portal list --live
  hookloop portal revoke lnk_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop portal settings --origin https://app.example.com`
	return c
}

// linkFlags are what a link is for, and for how long.
type linkFlags struct {
	owner    string
	ttl      time.Duration
	readOnly bool
}

func newEndpointPortal(o *options) *cobra.Command {
	c := newPortalLink(o)
	c.Use = "portal [ID]"
	c.Example = `  hookloop endpoint portal ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --ttl 1h
  hookloop endpoint portal --owner customer-4711 --read-only`
	return c
}

func newPortalLink(o *options) *cobra.Command {
	var l linkFlags
	c := &cobra.Command{
		Use:   "link [ENDPOINT]",
		Short: "Make a link that opens the portal for an endpoint, or all of an owner",
		Long: `Make a link that opens the portal for one endpoint or, with --owner, for all of an owner, and print it and
nothing else. The person who has the link may look after these endpoints, and sees nothing of others. It may no more
than your token. 'hookloop portal revoke' ends it before its time.`,
		Example: `  hookloop portal link ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --ttl 1h
  hookloop portal link --owner customer-4711 --read-only`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 1) == (l.owner != "") {
				return terminal.Usage("name an endpoint, or an owner with --owner")
			}
			if l.ttl < time.Minute || l.ttl > 24*time.Hour {
				return terminal.Usage("--ttl must lie between 1m and 24h")
			}
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			call := g.Portal.OwnerLink(api.NewOwnerPortalLink{Owner: l.owner, TTL: api.Duration(l.ttl), ReadOnly: l.readOnly})
			if len(args) == 1 {
				call = g.Portal.EndpointLink(args[0], api.NewPortalLink{TTL: api.Duration(l.ttl), ReadOnly: l.readOnly})
			}
			return show(g, call, func(w io.Writer, p api.PortalLink) error { return terminal.Say(w, "%s\n", p.URL) })
		},
	}
	f := c.Flags()
	f.StringVar(&l.owner, "owner", "", "all endpoints of this `owner`, later ones too")
	f.DurationVar(&l.ttl, "ttl", time.Hour, "how long the link is good, 1m to 24h")
	f.BoolVar(&l.readOnly, "read-only", false, "the link only shows")
	return c
}

func newPortalList(o *options) *cobra.Command {
	var q api.PortalLinkQuery
	c := &cobra.Command{
		Use:   "list",
		Short: "List links, the newest first",
		Long:  `List the tenant's links, the newest first, a week longer than they are good.`,
		Example: `  hookloop portal list --live
  hookloop portal list --owner customer-4711 --json`,
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&q.Endpoint, "endpoint", "", "only links for this endpoint alone")
	f.StringVar(&q.Owner, "owner", "", "only links for all endpoints of this owner")
	f.BoolVar(&q.Live, "live", false, "only links that are good now")
	return listing(o, c, func(g *gateway, _ []string, page api.PageQuery) client.List[api.PortalLink] {
		q.PageQuery = page
		return g.Portal.Links(q)
	}, showLinks)
}

func showLinks(w io.Writer, all []api.PortalLink) error {
	t, now := terminal.Columns(w), time.Now()
	terminal.Row(t, "ID", "FOR", "MAY", "STATE", "MADE", "BY")
	for _, l := range all {
		state := "expired " + when(w, &l.ExpiresAt, now)
		switch {
		case l.RevokedAt != nil:
			state = "revoked " + when(w, l.RevokedAt, now) + " by " + l.RevokedBy
		case l.Live:
			state = "ends " + when(w, &l.ExpiresAt, now)
		}
		may := "look"
		for _, s := range l.Scopes {
			if s == api.EndpointsWrite || s == api.EventsWrite {
				may = "act"
			}
		}
		of := l.EndpointID
		if l.Owner != "" {
			of = "owner " + l.Owner
		}
		terminal.Row(t, l.ID, of, may, state, when(w, &l.CreatedAt, now), l.By)
	}
	return t.Flush()
}

func newPortalRevoke(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke LINK...",
		Short: "End links before their time",
		Long:  `End links before their time, for good: at every gateway within five seconds.`,
		Example: `  hookloop portal revoke lnk_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop portal list --live --all --json | jq -r '.data[].id' | xargs hookloop portal revoke`,
		Args: cobra.MinimumNArgs(1),
		RunE: o.with(func(g *gateway, args []string) error {
			for _, id := range args {
				if err := show(g, g.Portal.Revoke(id), func(w io.Writer, l api.PortalLink) error { return terminal.Say(w, "revoked %s\n", l.ID) }); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

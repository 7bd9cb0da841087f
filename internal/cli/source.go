package cli

import (
	"io"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newSource(version string) *cobra.Command {
	o := options{version: version}
	c := group("source", "Manage sources: third parties that send to us",
		`Manage sources: third parties that send to us.

A source has a URL of its own and knows how its provider proves that a request is truly theirs: Stripe,
GitHub, Slack and others, or any that signs with an HMAC. What comes to that URL and is proven
becomes events like any others; everything else is refused.`, &o,
		newSourceCreate(&o), newSourceList(&o), newSourceGet(&o), newSourceUpdate(&o), newSourceDelete(&o))
	c.Example = `  hookloop source create --provider github --name code --secret-file github.secret
  hookloop source list
  hookloop source update src_01jzc8k0a2n4p6r8s0t2v4w6x8 --secret-file new.secret --secret-file old.secret`
	return c
}

func newSourceList(o *options) *cobra.Command {
	return listing(o, &cobra.Command{
		Use:     "list",
		Short:   "List sources, the oldest first",
		Long:    `List the tenant's sources, the oldest first.`,
		Example: `  hookloop source list --all --json`,
		Args:    cobra.NoArgs,
	}, func(g *gateway, _ []string, page api.PageQuery) client.List[api.Source] { return g.Sources.List(page) }, showSources)
}

func showSources(w io.Writer, all []api.Source) error {
	t := terminal.Columns(w)
	terminal.Row(t, "ID", "PROVIDER", "NAME", "INGEST URL")
	for _, s := range all {
		terminal.Row(t, s.ID, string(s.Provider), s.Name, s.IngestURL)
	}
	return t.Flush()
}

func newSourceGet(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "get ID",
		Short:   "Show a source",
		Long:    `Show a source. In its config *** stands for every secret; nothing shows them again.`,
		Example: `  hookloop source get src_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE:    o.with(func(g *gateway, args []string) error { return show(g, g.Sources.Get(args[0]), showSource) }),
	}
}

func newSourceDelete(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a source",
		Long: `Delete a source and its secrets. What the third party sends to its URL from now on is refused; events
that came before go on.`,
		Example: `  hookloop source delete src_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE: o.with(func(g *gateway, args []string) error {
			return done(g, g.Sources.Delete(args[0]), args[0], "deleted")
		}),
	}
}

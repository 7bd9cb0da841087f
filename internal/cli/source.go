package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

func newSource(version string) *cobra.Command {
	o := clientOptions{version: version}
	c := newGroup("source", "Manage sources: third parties that send to us",
		`Manage sources: third parties that send to us.

A source has a URL of its own and knows how its provider proves that a request is truly theirs: Stripe,
GitHub, Slack and others, or anybody who signs with an HMAC. What comes to that URL and is proven
becomes events like any others; everything else is refused.`, &o,
		newSourceCreate(&o), newSourceList(&o), newSourceGet(&o), newSourceUpdate(&o), newSourceDelete(&o))
	c.Example = `  hookloop source create --provider github --name code --secret-file github.secret
  hookloop source list
  hookloop source update src_01jzc8k0a2n4p6r8s0t2v4w6x8 --secret-file new.secret --secret-file old.secret`
	return c
}

func sourcePath(id string) string { return "/sources/" + url.PathEscape(id) }

func newSourceList(o *clientOptions) *cobra.Command {
	var p pageOptions
	c := &cobra.Command{
		Use:     "list",
		Short:   "List sources, the oldest first",
		Long:    `List the tenant's sources, the oldest first.`,
		Example: `  hookloop source list --all --json`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runSourceList(c, o, p) },
	}
	p.register(c.Flags())
	return c
}

func runSourceList(c *cobra.Command, o *clientOptions, p pageOptions) error {
	if err := p.check(); err != nil {
		return err
	}
	get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
		return gateway.list(ctx, "/sources", url.Values{}, p)
	}
	return o.ask(c, get, as(func(w io.Writer, page listOf[sourceView]) error {
		t := terminal.Columns(w)
		terminal.Row(t, "ID", "PROVIDER", "NAME", "INGEST URL")
		for _, s := range page.Data {
			terminal.Row(t, s.ID, s.Provider, s.Name, s.IngestURL)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		moreHint(c.ErrOrStderr(), c.CommandPath(), page.next())
		return nil
	}))
}

func newSourceGet(o *clientOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "get ID",
		Short:   "Show a source",
		Long:    `Show a source. In its config *** stands for every secret; nothing shows them again.`,
		Example: `  hookloop source get src_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c, apiRequest{method: http.MethodGet, path: sourcePath(args[0])}, as(showSource))
		},
	}
}

func newSourceDelete(o *clientOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a source",
		Long: `Delete a source and its secrets. What the third party sends to its URL from now on is refused; events
that came before go on.`,
		Example: `  hookloop source delete src_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
				_, err := gateway.call(ctx, apiRequest{method: http.MethodDelete, path: sourcePath(args[0])})
				return []byte(`{"id":` + string(quoteJSON(args[0])) + `,"deleted":true}`), err
			}
			return o.ask(c, get, func(w io.Writer, _ []byte) error {
				_, err := io.WriteString(w, "deleted "+terminal.OneLine(args[0])+"\n")
				return err
			})
		},
	}
}

// sourceView is what the gateway tells of a source.
type sourceView struct {
	ID          string          `json:"id"`
	Provider    string          `json:"provider"`
	Name        string          `json:"name"`
	IngestURL   string          `json:"ingest_url"`
	Config      json.RawMessage `json:"config"` // its secrets are ***
	TypePrefix  string          `json:"type_prefix"`
	Application string          `json:"application"`
	Echo        *echoPaths      `json:"echo"`     // nil: none is recognised
	Activity    *sourceActivity `json:"activity"` // nil: in lists
}

// sourceActivity is what became of what a source sent.
type sourceActivity struct {
	Accepted       int64      `json:"accepted"`
	Repeats        int64      `json:"repeats"`
	Refused        int64      `json:"refused"`
	LastAcceptedAt *time.Time `json:"last_accepted_at"`
	LastRefusedAt  *time.Time `json:"last_refused_at"`
	LastRefusal    string     `json:"last_refusal"`
}

package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"hookloop/internal/audit"
	"hookloop/internal/terminal"
)

func newAudit(version string) *cobra.Command {
	o := clientOptions{version: version}
	return newGroup("audit", "See who did what, when, and why",
		`See who did what, when, and why, as the histories in Temporal have it: every attempt and its answer, every
deferral with its reason, and what people said.

It takes a token with the scope audit:read. What has passed its retention is in an archive: 'hookloop archive'.`, &o,
		newAuditShow(&o), newAuditExport(&o))
}

func newAuditShow(o *clientOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "show EVENT",
		Short: "Show what happened to an event, line by line",
		Long: `Show what happened to an event, line by line, the oldest first: what its own workflow did, and those of its
deliveries and redeliveries.`,
		Example: "  hookloop audit show evt_01jzc8m3v7q2w5x9y1b4d6f8hk",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
				return gateway.list(ctx, eventPath(args[0])+"/audit", url.Values{}, pageOptions{all: true})
			}
			return o.ask(c, get, as(func(w io.Writer, page listOf[audit.Line]) error {
				if page.Encrypted {
					shutHint(c.ErrOrStderr())
				}
				return showLines(w, page.Data)
			}))
		},
	}
}

// shutHint says why there are lines without detail.
func shutHint(w io.Writer) {
	fmt.Fprintln(w, "Some of it is encrypted with a key that the gateway does not have.")
}

func showLines(w io.Writer, lines []audit.Line) error {
	t := terminal.Columns(w)
	for _, line := range lines {
		by := ""
		if line.Actor != "" {
			by = "by " + line.Actor
		}
		terminal.Row(t, line.At.UTC().Format("2006-01-02T15:04:05.000Z"), line.Kind, by, line.Detail)
	}
	return t.Flush()
}

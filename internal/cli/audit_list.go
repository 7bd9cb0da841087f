package cli

import (
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
)

type auditListOptions struct {
	after, before string
	query         api.AuditQuery
	kind          string
}

func newAuditList(o *options) *cobra.Command {
	var l auditListOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "List what happened to everything of a tenant: settings, events, decisions",
		Long: `List what happened to everything of a tenant, the oldest first: changes of endpoints and sources, who read secrets
and payloads, and what the histories of events, deliveries, recoveries and approvals say.`,
		Example: `  hookloop audit list --kind endpoint-changed --after 720h
  hookloop audit list --actor jane --after 24h
  hookloop audit list --endpoint ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --status held`,
		Args: cobra.NoArgs,
		RunE: o.with(func(g *gateway, _ []string) error {
			period, err := auditExportOptions{after: l.after, before: l.before}.query(time.Now())
			if err != nil {
				return err
			}
			query := l.query
			query.After, query.Before, query.Kind = period.After, period.Before, api.AuditKind(l.kind)
			return showList(g, g.Audit.List(query), true, func(w io.Writer, all []api.AuditLine) error {
				slices.SortStableFunc(all, func(x, y api.AuditLine) int { return x.At.Compare(y.At) })
				return showLines(w, all)
			})
		}),
	}
	f := c.Flags()
	f.StringVar(&l.after, "after", "", "only what happened at this `time` or later: RFC 3339, or how long ago")
	f.StringVar(&l.before, "before", "", "only what happened before this `time`")
	f.StringVar(&l.kind, "kind", "", "only lines of this `kind`: docs/audit.md lists them")
	f.StringVar(&l.query.Actor, "actor", "", "only what this `actor` did, known or claimed")
	f.StringVar(&l.query.EndpointID, "endpoint", "", "only what is about this endpoint (`id`)")
	f.StringVar(&l.query.SourceID, "source", "", "only what is about this source (`id`), or came from it")
	f.StringVar(&l.query.Status, "status", "", "only what came to this `status`: held, delivered, exhausted …")
	return c
}

package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newAudit(version string) *cobra.Command {
	o := options{version: version}
	return group("audit", "See who did what, when, and why",
		`See who did what, when, and why: every attempt and its answer, every deferral with its reason, what people said,
what became of settings, and who read secrets and payloads.

It takes a token with the scope audit:read. What has passed its retention is in an archive: 'hookloop archive'.`, &o,
		newAuditShow(&o), newAuditList(&o), newAuditExport(&o), newAuditVerify())
}

func newAuditShow(o *options) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "show EVENT",
		Short: "Show the story of an event: every attempt, who decided, what changed meanwhile",
		Long: `Show the story of an event, the oldest line first: what became of it and of its deliveries and redeliveries; the
episodes of the endpoints it had trouble with, and who decided; changes of those endpoints meanwhile; who read its
data. What repeats itself (waits, reports, counts) is left out unless --all is given.

"by jane" is what Hookloop or Temporal knows. "by jane, as they say" is what came with a signal or an update and is
proven by nothing.`,
		Example: "  hookloop audit show evt_01jzc8m3v7q2w5x9y1b4d6f8hk",
		Args:    cobra.ExactArgs(1),
		RunE: o.with(func(g *gateway, args []string) error {
			list := g.Events.Audit(args[0])
			if g.asJSON {
				return showList(g, list, true, nil)
			}
			page, err := read(g.command.Context(), list, true)
			if err != nil {
				return err
			}
			if page.Encrypted {
				encryptedHint(g.command.ErrOrStderr())
			}
			_, err = io.WriteString(g.command.OutOrStdout(), newTimeline(page.Data, all).text())
			return err
		}),
	}
	c.Flags().BoolVar(&all, "all", false, "every line, also what repeats itself")
	return c
}

// encryptedHint says why there are lines without detail.
func encryptedHint(w io.Writer) {
	fmt.Fprintln(w, "Some of it is encrypted with a key that the gateway does not have.")
}

func showLines(w io.Writer, lines []api.AuditLine) error {
	t := terminal.Columns(w)
	for _, l := range lines {
		about := cmp.Or(l.EventID, l.EndpointID, l.SourceID)
		terminal.Row(t, l.At.UTC().Format("2006-01-02T15:04:05.000Z"), string(l.Kind), about, actor(l), l.Detail)
	}
	return t.Flush()
}

// actor is who did something, for a person; empty for Hookloop by itself.
func actor(l api.AuditLine) string {
	var parts []string
	if l.Actor != "" && (l.Actor != webhook.ByHookloop || l.ActorClaimed != "") {
		parts = append(parts, "by "+l.Actor)
	}
	if l.ActorClaimed != "" {
		parts = append(parts, "by "+l.ActorClaimed+", as they say")
	}
	switch l.Via {
	case webhook.ViaTemporalUI, webhook.ViaTemporal, webhook.ViaCommand:
		parts = append(parts, "("+string(l.Via)+")")
	case webhook.ViaAPI, webhook.ViaSource, webhook.ViaHookloop:
	}
	return strings.Join(parts, " ")
}

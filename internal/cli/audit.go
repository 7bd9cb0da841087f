package cli

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newAudit(version string) *cobra.Command {
	o := options{version: version}
	return group("audit", "See who did what, when, and why",
		`See who did what, when, and why, as the histories in Temporal have it: every attempt and its answer, every
deferral with its reason, and what people said.

It takes a token with the scope audit:read. What has passed its retention is in an archive: 'hookloop archive'.`, &o,
		newAuditShow(&o), newAuditExport(&o))
}

func newAuditShow(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "show EVENT",
		Short: "Show what happened to an event, line by line",
		Long: `Show what happened to an event, line by line, the oldest first: what its own workflow did, and those of its
deliveries and redeliveries.`,
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
			return showLines(g.command.OutOrStdout(), page.Data)
		}),
	}
}

// encryptedHint says why there are lines without detail.
func encryptedHint(w io.Writer) {
	fmt.Fprintln(w, "Some of it is encrypted with a key that the gateway does not have.")
}

func showLines(w io.Writer, lines []api.AuditLine) error {
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

type auditExportOptions struct{ after, before string }

func newAuditExport(o *options) *cobra.Command {
	var e auditExportOptions
	c := &cobra.Command{
		Use:   "export",
		Short: "Print what happened to everything of a tenant, one JSON object a line",
		Long: `Print what happened to everything of a tenant, the oldest first, one JSON object a line: what the histories of
events, deliveries, recoveries and approvals in Temporal say. Its lists are a moment behind: what happened
just now may be missing. All lines are held in memory until the last has come, so ask for a period.`,
		Example: `  hookloop audit export --after 24h > yesterday.jsonl
  hookloop audit export --after 2026-01-01T00:00:00Z --before 2026-02-01T00:00:00Z |
    jq 'select(.actor and .kind == "approve")'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			query, err := e.query(time.Now())
			if err != nil {
				return err
			}
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			lines, err := g.auditLines(query)
			if err != nil {
				return err
			}
			return exportLines(c.OutOrStdout(), lines)
		},
	}
	f := c.Flags()
	f.StringVar(&e.after, "after", "", "only what happened at this `time` or later: RFC 3339, or how long ago")
	f.StringVar(&e.before, "before", "", "only what happened before this `time`")
	return c
}

func (e auditExportOptions) query(now time.Time) (q api.AuditQuery, err error) {
	after, err := terminal.ParseTime("--after", e.after, now)
	if err != nil {
		return q, err
	}
	before, err := terminal.ParseTime("--before", e.before, now)
	return api.AuditQuery{After: wireTime(after), Before: wireTime(before)}, err
}

// exported is a line as the gateway said it: nothing is lost that this version of the CLI does not
// know.
type exported struct {
	at   time.Time
	line []byte
}

// gathered is a trail in the making. What a workflow did that ended between two pages is on both.
type gathered struct {
	lines []exported
	known map[[sha256.Size]byte]bool
}

func (l *gathered) add(raw json.RawMessage) error {
	var line struct{ At time.Time }
	if err := client.Decode(raw, &line); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return err
	}
	if sum := sha256.Sum256(b.Bytes()); !l.known[sum] {
		l.known[sum] = true
		l.lines = append(l.lines, exported{line.At, b.Bytes()})
	}
	return nil
}

// auditLines fetches all lines, and tells people every two seconds how many there are.
func (g *gateway) auditLines(query api.AuditQuery) ([]exported, error) {
	l, said, encrypted := gathered{known: map[[sha256.Size]byte]bool{}}, time.Now(), false
	people := g.command.ErrOrStderr()
	for page, err := range g.Audit.List(query).Raw().Pages(g.command.Context()) {
		if err != nil {
			return nil, err
		}
		encrypted = encrypted || page.Encrypted
		for _, line := range page.Data {
			if err := l.add(line); err != nil {
				return nil, err
			}
		}
		if time.Since(said) > 2*time.Second {
			said = time.Now()
			fmt.Fprintf(people, "%s so far\n", terminal.Count(len(l.lines), "line"))
		}
	}
	if encrypted {
		encryptedHint(people)
	}
	slices.SortStableFunc(l.lines, func(x, y exported) int { return x.at.Compare(y.at) })
	return l.lines, nil
}

func exportLines(w io.Writer, all []exported) error {
	b := bufio.NewWriter(w)
	for _, e := range all {
		// In JSON, what OneLine escapes is the same text as before. Flush tells of an error.
		_, _ = b.WriteString(terminal.OneLine(string(e.line)) + "\n")
	}
	return b.Flush()
}

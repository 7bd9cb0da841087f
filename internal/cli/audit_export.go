package cli

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

type auditExportOptions struct{ after, before, out, key string }

func newAuditExport(o *options) *cobra.Command {
	var e auditExportOptions
	c := &cobra.Command{
		Use:   "export",
		Short: "Print what happened to everything of a tenant, one JSON object a line",
		Long: `Print what happened to everything of a tenant, the oldest first, one JSON object a line: what the histories of
events, deliveries, recoveries and approvals in Temporal say. Its lists are a moment behind: what happened
just now may be missing. All lines are held in memory until the last has come, so ask for a period.

With --out it writes a folder instead, which holds any number of lines and can be proven: each record has its number
and the hash of the one before, and a manifest is signed with an Ed25519 key ('hookloop key audit'). Lines stand
in the order in which the gateway gave them, and 'audit verify' finds any change. Killed, it goes on when
it is run again. Keep the folder, or its head, where those who could change it cannot.`,
		Example: `  hookloop audit export --after 24h > yesterday.jsonl
  hookloop audit export --after 2026-01-01T00:00:00Z --before 2026-02-01T00:00:00Z |
    jq 'select(.kind == "approve")'
  hookloop audit export --after 2026-01-01 --before 2026-02-01 --out january --key audit.key`,
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
			if e.out != "" {
				return g.exportFolder(e, query)
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
	f.StringVar(&e.out, "out", "", "write a `folder` whose records can be proven")
	f.StringVar(&e.key, "key", "", "`file` of the key that signs it; without one, that of 'hookloop dev'")
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

// auditLines fetches all lines, and tells people how many there are so far.
func (g *gateway) auditLines(query api.AuditQuery) ([]exported, error) {
	l, encrypted := gathered{known: map[[sha256.Size]byte]bool{}}, false
	people := g.command.ErrOrStderr()
	soFar := terminal.Progress(people)
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
		soFar(terminal.Count(len(l.lines), "line") + " so far")
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

package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

type auditExportOptions struct{ after, before string }

func newAuditExport(o *clientOptions) *cobra.Command {
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
			gateway, err := o.connect()
			if err != nil {
				return err
			}
			lines, err := gateway.audit(c.Context(), query, c.ErrOrStderr())
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

func (e auditExportOptions) query(now time.Time) (url.Values, error) {
	q := url.Values{}
	for name, text := range map[string]string{"after": e.after, "before": e.before} {
		at, err := terminal.ParseTime("--"+name, text, now)
		if err != nil {
			return nil, err
		}
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return q, nil
}

// exported is a line as the gateway said it: nothing is lost that this version of the CLI does not know.
type exported struct {
	at   time.Time
	line []byte
}

// gathered is a ledger in the making. What a workflow did that ended between two pages is on both.
type gathered struct {
	lines []exported
	known map[[sha256.Size]byte]bool
}

func (l *gathered) add(raw json.RawMessage) error {
	line, err := decode[struct{ At time.Time }](raw)
	if err != nil {
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

// audit fetches all lines, and tells people every two seconds how many there are.
func (c *gatewayClient) audit(ctx context.Context, query url.Values, people io.Writer) ([]exported, error) {
	l, told, shut := gathered{known: map[[sha256.Size]byte]bool{}}, time.Now(), false
	for page, err := range c.pages(ctx, "/audit", query) {
		if err != nil {
			return nil, err
		}
		shut = shut || page.Encrypted
		for _, line := range page.Data {
			if err := l.add(line); err != nil {
				return nil, err
			}
		}
		if time.Since(told) > 2*time.Second {
			told = time.Now()
			fmt.Fprintf(people, "%s so far\n", terminal.Count(len(l.lines), "line"))
		}
	}
	if shut {
		shutHint(people)
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

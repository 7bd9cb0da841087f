package cli

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newEndpointAttempts(o *options) *cobra.Command {
	var query api.AttemptQuery
	c := &cobra.Command{
		Use:   "attempts ID",
		Short: "List the attempts at an endpoint, the newest first",
		Long: `List the attempts at an endpoint, the newest first, from the attempt log, which is a second behind. What was sent and
answered, 'hookloop event get' tells.`,
		Example: `  hookloop endpoint attempts ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --failed
  hookloop endpoint attempts ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --after 24h --all --json`,
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.BoolVar(&query.Failed, "failed", false, "only those that the endpoint did not take")
	f.StringVar(&query.After, "after", "", "only those that began at this `time` or later: RFC 3339, a day, or how long ago")
	f.StringVar(&query.Before, "before", "", "only those that began before this `time`")
	return listing(o, c, func(g *gateway, args []string, page api.PageQuery) client.List[api.AttemptItem] {
		query.PageQuery = page
		return g.Endpoints.Attempts(args[0], query)
	}, showAttempts)
}

func showAttempts(w io.Writer, all []api.AttemptItem) error {
	now := time.Now()
	t := terminal.Columns(w)
	terminal.Row(t, "AT", "EVENT", "TYPE", "NUMBER", "ANSWER", "MS", "OUTCOME", "WHY")
	for _, a := range all {
		answer := "-"
		if a.StatusCode != 0 {
			answer = strconv.Itoa(a.StatusCode)
		}
		terminal.Row(t, terminal.When(w, a.At, now), a.EventID, a.EventType, strconv.Itoa(a.Number), answer, strconv.FormatInt(a.DurationMS, 10),
			string(a.Outcome), shortened(cmp.Or(a.Error, a.Failure), 60))
	}
	return t.Flush()
}

func newEndpointStats(o *options) *cobra.Command {
	var query api.StatsQuery
	c := &cobra.Command{
		Use:   "stats ID",
		Short: "Show how an endpoint does: rate, success, latency",
		Long: `Show how an endpoint does: attempts, the share that it took, p50 and p95, in all and by the hour, or by the minute
within the last three hours.`,
		Example: `  hookloop endpoint stats ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --since 1h`,
		Args:    cobra.ExactArgs(1),
		RunE: o.with(func(g *gateway, args []string) error {
			return show(g, g.Endpoints.Stats(args[0], query), showStats)
		}),
	}
	c.Flags().StringVar(&query.Since, "since", "24h", "from when on, a `time` or how long ago")
	c.Flags().StringVar(&query.Until, "until", "", "until when, likewise; none: now")
	return c
}

func showStats(w io.Writer, s api.EndpointStats) error {
	now := time.Now()
	t := terminal.Columns(w)
	terminal.Row(t, "attempts", fmt.Sprintf("%d, %s a minute", s.Attempts, rate(s.PerMinute)))
	terminal.Row(t, "taken", share(s.Success))
	terminal.Row(t, "latency", "p50 "+millis(s.P50MS)+", p95 "+millis(s.P95MS))
	endpointRows(t, &s.Activity, now)
	if err := t.Flush(); err != nil || len(s.Buckets) == 0 {
		return err
	}
	_, _ = fmt.Fprintln(w)
	t = terminal.Columns(w)
	terminal.Row(t, "SINCE", "ATTEMPTS", "TOOK", "FAILS", "REFUSES", "P50", "P95")
	for _, b := range s.Buckets {
		terminal.Row(t, terminal.When(w, b.At, now), strconv.FormatInt(b.Attempts, 10), strconv.FormatInt(b.Took, 10), strconv.FormatInt(b.Fails, 10),
			strconv.FormatInt(b.Refuses, 10), millis(b.P50MS), millis(b.P95MS))
	}
	return t.Flush()
}

// endpointRows tell how an endpoint does now.
func endpointRows(t io.Writer, a *api.Activity, now time.Time) {
	if a == nil {
		return
	}
	if a.Waiting != nil {
		waiting := terminal.Count(*a.Waiting, "delivery")
		if a.Held != nil && *a.Held > 0 {
			waiting += fmt.Sprintf(", %d held", *a.Held)
		}
		if a.OldestAt != nil {
			waiting += ", the oldest " + terminal.Relative(*a.OldestAt, now)
		}
		terminal.Row(t, "waiting", waiting)
	}
	if a.LastSuccessAt != nil {
		terminal.Row(t, "last success", terminal.UTC(*a.LastSuccessAt)+" ("+terminal.Relative(*a.LastSuccessAt, now)+")")
	}
	if a.LastError != nil {
		terminal.Row(t, "last error", lastError(a.LastError, now))
	}
	if a.LastHour.Attempts > 0 {
		terminal.Row(t, "last hour", fmt.Sprintf("%s, %s taken, p95 %s", terminal.Count(int(a.LastHour.Attempts), "attempt"), share(a.LastHour.Success), millis(a.LastHour.P95MS)))
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

type topOptions struct {
	options

	since    string
	interval time.Duration
	lines    int
	once     bool
}

func newTop(version string) *cobra.Command {
	o := topOptions{options: options{version: version}}
	c := &cobra.Command{
		Use:   "top",
		Short: "Show how endpoints do: rates, success, latency, what waits",
		Long: `Show on one screen how a tenant's endpoints do: attempts a minute, the share that was taken, p50 and p95, what
has not been delivered yet, and which endpoints are held, failing, busiest and slowest. It refreshes until
Ctrl-C; with --once, and where no terminal reads it, it shows one picture. With --json each is a line.

Attempts are read from the attempt log, a second behind; what waits from Temporal's lists, some seconds behind.` + gatewayHelp,
		Example: `  hookloop top
  hookloop top --since 24h --once
  hookloop top --json --once | jq '.failing[].endpoint_id'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.interval < time.Second {
				return terminal.Usage("--interval must be at least 1s")
			}
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			return explain(c.Context(), runTop(g, o))
		},
	}
	f := c.Flags()
	o.register(f)
	f.StringVar(&o.since, "since", "1h", "attempts from when on, a `time` or how long ago")
	f.DurationVar(&o.interval, "interval", 2*time.Second, "how often it refreshes")
	f.IntVar(&o.lines, "lines", 5, "how many endpoints each list has at most")
	f.BoolVar(&o.once, "once", false, "show one picture and exit")
	return c
}

// The terminal's orders: begin at the top, forget the rest of a line, and the rest of the screen.
const (
	ansiHome    = "\x1b[H"
	ansiEndLine = "\x1b[K\n"
	ansiEnd     = "\x1b[J"
	ansiClear   = "\x1b[2J"
)

func runTop(g *gateway, o topOptions) error {
	ctx, w := g.command.Context(), g.command.OutOrStdout()
	live := terminal.IsTerminal(w) && !g.asJSON && !o.once
	once := o.once || !live && !g.asJSON
	tick := time.NewTicker(o.interval)
	defer tick.Stop()
	if live {
		_, _ = io.WriteString(w, ansiClear)
	}
	for {
		answer, err := g.Stats(api.TenantStatsQuery{StatsQuery: api.StatsQuery{Since: o.since}, Top: o.lines}).JSON(ctx)
		if err == nil {
			err = g.picture(w, answer, o, live)
		}
		if once || err != nil && !live {
			return err
		}
		if err != nil { // it may be back in a moment
			fmt.Fprint(w, ansiHome+terminal.OneLine(explain(ctx, err).Error())+ansiEndLine)
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is how it ends
		case <-tick.C:
		}
	}
}

// picture shows one answer.
func (g *gateway) picture(w io.Writer, answer json.RawMessage, o topOptions, live bool) error {
	if g.asJSON {
		var b bytes.Buffer
		if err := json.Compact(&b, answer); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, terminal.OneLine(b.String())) // the same JSON
		return err
	}
	var s api.TenantStats
	if err := client.Decode(answer, &s); err != nil {
		return err
	}
	text := topPicture{TenantStats: s, now: time.Now(), title: g.URL(), since: o.since}.String()
	if live {
		text = ansiHome + strings.ReplaceAll(text, "\n", ansiEndLine) + ansiEnd
	}
	_, err := io.WriteString(w, text)
	return err
}

// topPicture is how a tenant's endpoints do, for people.
type topPicture struct {
	api.TenantStats

	now   time.Time
	title string // where the gateway is
	since string // as it was asked for
}

func (p topPicture) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s   since %s   %s\n\n", terminal.OneLine(p.title), terminal.OneLine(p.since), p.now.Local().Format(time.TimeOnly))
	t := terminal.Columns(&b)
	terminal.Row(t, "attempts", fmt.Sprintf("%d, %s a minute, %s taken, p50 %s, p95 %s", p.Attempts, rate(p.PerMinute), share(p.Success), millis(p.P50MS), millis(p.P95MS)))
	terminal.Row(t, "endpoints", fmt.Sprintf("%d active, %d held, %d paused, %d disabled", p.Endpoints.Active, p.Endpoints.Held, p.Endpoints.Paused, p.Endpoints.Disabled))
	terminal.Row(t, "waiting", p.waiting())
	_ = t.Flush() // into memory
	for _, l := range []struct {
		name  string
		lines []api.EndpointLine
	}{{"HELD", p.Held}, {"FAILING", p.Failing}, {"BUSIEST", p.Busiest}, {"SLOWEST", p.Slowest}} {
		p.list(&b, l.name, l.lines)
	}
	return b.String()
}

func (p topPicture) waiting() string {
	k := p.Backlog
	if k == nil {
		return "not known now"
	}
	text := terminal.Count(k.Waiting, "delivery")
	if k.Held > 0 {
		text += fmt.Sprintf(", %d held", k.Held)
	}
	if k.Parked > 0 {
		text += fmt.Sprintf(", and %d parked", k.Parked)
	}
	if k.OldestAt != nil {
		text += ", the oldest " + terminal.Relative(*k.OldestAt, p.now)
	}
	if !k.Whole {
		text += " (of those that were looked at)"
	}
	return text
}

func (p topPicture) list(w io.Writer, name string, lines []api.EndpointLine) {
	if len(lines) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w)
	t := terminal.Columns(w)
	terminal.Row(t, name, "STATE", "A MINUTE", "TAKEN", "P50", "P95", "WAITING", "LAST ERROR", "ID")
	for _, l := range lines {
		state := string(l.State)
		if l.ReportedFailing {
			state += ", failing"
		}
		terminal.Row(t, shortened(nameOf(&l.EndpointName), 44), state, rate(l.PerMinute), share(l.Success), millis(l.P50MS), millis(l.P95MS),
			countOf(l.Waiting), lastError(l.LastError, p.now), l.EndpointID)
	}
	_ = t.Flush()
}

func rate(perMinute float64) string {
	if perMinute >= 10 || perMinute == 0 {
		return fmt.Sprintf("%.0f", perMinute)
	}
	return fmt.Sprintf("%.2g", perMinute)
}

func share(of *float64) string {
	switch {
	case of == nil:
		return "-"
	case *of > 0.999 && *of < 1:
		return "99.9 %" // not all of it
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100**of), ".0") + " %"
}

func millis(ms *float64) string {
	switch {
	case ms == nil:
		return "-"
	case *ms >= 1000:
		return fmt.Sprintf("%.1f s", *ms/1000)
	}
	return fmt.Sprintf("%.0f ms", *ms)
}

func lastError(e *api.LastError, now time.Time) string {
	if e == nil {
		return "-"
	}
	return shortened(failedWith(e.StatusCode, e.Failure, e.Error), 40) + ", " + terminal.Relative(e.At, now)
}

// failedWith says in a few words what came back.
func failedWith(status int, failure, text string) string {
	switch {
	case status != 0:
		return fmt.Sprintf("HTTP %d", status)
	case failure != "":
		return failure
	}
	return text
}

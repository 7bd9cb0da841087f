package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

type recoverOptions struct {
	since, until string
	dryRun       bool
	unmatched    bool
	rate         float64
	wait         bool
	status       bool
	cancel       bool
}

func newEndpointRecover(o *options) *cobra.Command {
	var r recoverOptions
	c := &cobra.Command{
		Use:   "recover ID",
		Short: "Redeliver what an endpoint did not get",
		Long: `Redeliver what an endpoint did not get: everything whose delivery began since then and ended undelivered,
and what was accepted since then while the endpoint was disabled, however much it is, the same webhook-ids as
before. With --unmatched it brings, in their place, the events that no endpoint wanted, of the types that this
one wants now. It goes on without this command; --status shows how far it is, --cancel ends it after the
delivery at hand.

--since and --until are times in RFC 3339, or how long ago: 24h, 90m. With --dry-run it only counts.
With --wait it shows the progress until all are started again, and exits 1 if it ends before that;
each then takes the attempts it needs.`,
		Example: `  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --since 24h --dry-run
  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --since 2026-01-31T12:00:00Z --until 1h --rate 50 --wait
  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --since 24h --unmatched
  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --status
  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --cancel`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runRecover(c, o, args[0], r) },
	}
	f := c.Flags()
	f.StringVar(&r.since, "since", "", "from when on, a `time` or how long ago")
	f.StringVar(&r.until, "until", "", "until when, a `time` or how long ago; now, if not given")
	f.BoolVar(&r.dryRun, "dry-run", false, "only count")
	f.BoolVar(&r.unmatched, "unmatched", false, "events that no endpoint wanted, of types this one wants now")
	f.Float64Var(&r.rate, "rate", webhook.DefaultReleaseRate,
		fmt.Sprintf("redeliveries started a second, %g to %d", webhook.MinReleaseRate, webhook.MaxReleaseRate))
	f.BoolVar(&r.wait, "wait", false, "show the progress until all are started")
	f.BoolVar(&r.status, "status", false, "how far the latest recovery is")
	f.BoolVar(&r.cancel, "cancel", false, "end the recovery that is running")
	return c
}

func (r recoverOptions) check(c *cobra.Command) error {
	asked := 0
	for _, is := range []bool{r.since != "", r.status, r.cancel} {
		if is {
			asked++
		}
	}
	if asked != 1 {
		return terminal.Usage("give --since, --status or --cancel; see %s --help", c.CommandPath())
	}
	for _, flag := range []string{"until", "dry-run", "unmatched", "rate"} {
		if r.since == "" && c.Flags().Changed(flag) {
			return terminal.Usage("--%s goes with --since", flag)
		}
	}
	if r.wait && (r.cancel || r.dryRun) {
		return terminal.Usage("there is nothing to --wait for")
	}
	return nil
}

func runRecover(c *cobra.Command, o *options, id string, r recoverOptions) error {
	if err := r.check(c); err != nil {
		return err
	}
	n, err := r.recovery(time.Now())
	if err != nil {
		return err
	}
	g, err := o.connect(c)
	if err != nil {
		return err
	}
	switch start := g.Endpoints.Recover(id, n); {
	case r.cancel:
		return show(g, g.Endpoints.CancelRecovery(id), func(w io.Writer, _ api.CancelledRecovery) error {
			return terminal.Say(w, "the recovery of %s ends after the delivery at hand\n", id)
		})
	case r.status && r.wait:
		return watchRecovery(g, id)
	case r.status:
		return show(g, g.Endpoints.Recovery(id), showRecovery)
	case r.wait:
		if _, err := start.Do(c.Context()); err != nil {
			return err
		}
		return watchRecovery(g, id)
	default:
		return show(g, start, func(w io.Writer, started api.StartedRecovery) error { return r.showStarted(w, id, started.Found) })
	}
}

// recovery is what is asked for; what the gateway checks is left to it.
func (r recoverOptions) recovery(now time.Time) (api.NewRecovery, error) {
	n := api.NewRecovery{RatePerSecond: r.rate, DryRun: r.dryRun, Unmatched: r.unmatched}
	since, err := terminal.ParseTime("--since", r.since, now)
	if err != nil {
		return n, err
	}
	until, err := terminal.ParseTime("--until", r.until, now)
	if err != nil {
		return n, err
	}
	n.Since, n.Until = wireTime(since), wireTime(until)
	return n, nil
}

// wireTime is a time as a query or a body holds it; the zero time is none.
func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func (r recoverOptions) showStarted(w io.Writer, id string, found int) error {
	if r.dryRun {
		what := "of " + id + " ended undelivered"
		if r.unmatched {
			what = "to " + id + " of events that no endpoint wanted"
		}
		return terminal.Say(w, "%s %s; nothing was started\n", terminal.Count(found, "delivery"), what)
	}
	takes := time.Duration(float64(found) / r.rate * float64(time.Second)).Round(time.Second)
	again := " again"
	if r.unmatched {
		again = ""
	}
	return terminal.Say(w, "%s of %s to be started%s, %v a second: about %s\n\nNext: hookloop endpoint recover %s --status\n",
		terminal.Count(found, "delivery"), id, again, r.rate, takes, id)
}

func showRecovery(w io.Writer, v api.Recovery) error {
	t := terminal.Columns(w)
	terminal.Row(t, "status", because(v.Status, v.Reason))
	if v.Unmatched {
		terminal.Row(t, "of", "events that no endpoint wanted")
	}
	terminal.Row(t, "found", fmt.Sprint(v.Found))
	terminal.Row(t, "redelivered", fmt.Sprint(v.Redelivered))
	terminal.Row(t, "skipped", fmt.Sprint(v.Skipped))
	terminal.Row(t, "since", terminal.UTC(v.Since))
	terminal.Row(t, "until", terminal.UTC(v.Until))
	terminal.Row(t, "rate", fmt.Sprintf("%v/s", v.RatePerSecond))
	terminal.Row(t, "by", v.By)
	return t.Flush()
}

// watchRecovery shows the progress of a recovery until it has ended. Only one that came to its end
// is a success.
func watchRecovery(g *gateway, id string) error {
	shown := ""
	last, err := g.Endpoints.Recovery(id).Until(g.command.Context(), func(r api.Recovery) bool {
		if r.Status != api.RecoveryRunning {
			return true
		}
		line := fmt.Sprintf("%d redelivered, %d skipped, of %d found so far", r.Redelivered, r.Skipped, r.Found)
		if line != shown {
			shown = line
			fmt.Fprintln(g.command.ErrOrStderr(), line)
		}
		return false
	})
	if err != nil {
		return err
	}
	if err := showAnswer(g, last.JSON, showRecovery); err != nil {
		return err
	}
	if r := last.Value; r.Status != api.RecoveryCompleted {
		return fmt.Errorf("the recovery ended early: %s", because(r.Status, r.Reason))
	}
	return nil
}

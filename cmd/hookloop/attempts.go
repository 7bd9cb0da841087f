package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/attemptlog"
	"hookloop/internal/audit"
	"hookloop/internal/devdir"
	"hookloop/internal/terminal"
)

func newAttempts() *cobra.Command {
	c := &cobra.Command{
		Use:   "attempts",
		Short: "Keep the attempt log, from which lists and statistics are read",
		Long: `Keep the attempt log: a row in the registry for each attempt, and counts by endpoint, minute and hour, from
which lists and statistics are read. Histories are the truth; the log can be made again from them.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAttemptsRebuild())
	return c
}

type rebuildOptions struct {
	tenant, since, until, data string
	asJSON                     bool
}

func newAttemptsRebuild() *cobra.Command {
	var o rebuildOptions
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the attempt log again from Temporal's histories",
		Long: `Make the rows of the attempt log again from the histories that Temporal keeps, and what they add to the
counts. Rows that are there stay, so it may run beside everything else, be interrupted, and be run again.
Workers do the same by themselves for times of which they know that rows were lost; run it where the log
was lost with its database, or is younger than the histories. It reads each history once: some hundreds a second.

The registry is that of HOOKLOOP_REGISTRY, and Temporal where TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say; else
those of the 'hookloop dev' that runs on --data-dir.`,
		Example: `  hookloop attempts rebuild
  hookloop attempts rebuild --since 24h --tenant acme`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runRebuild(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&o.tenant, "tenant", "", "whose attempts; none: every tenant's")
	f.StringVar(&o.since, "since", "720h", "attempts from when on, a `time` or how long ago")
	f.StringVar(&o.until, "until", "", "attempts before, a `time` or how long ago; none: now")
	f.StringVar(&o.data, "data-dir", "", "`folder` of 'hookloop dev' (default \""+devdir.Default+"\")")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func runRebuild(ctx context.Context, o rebuildOptions, stdout, stderr io.Writer) (err error) {
	now := time.Now()
	soFar := terminal.Progress(stderr)
	cfg := attemptlog.RebuildConfig{Tenant: o.tenant, Progress: func(r attemptlog.Rebuilt) { soFar(describeRebuilt(r)) }}
	if cfg.From, err = terminal.ParseTime("--since", o.since, now); err != nil {
		return err
	}
	if cfg.To, err = terminal.ParseTime("--until", o.until, now); err != nil {
		return err
	}
	if cfg.To.IsZero() {
		cfg.To = now
	}
	if !cfg.From.Before(cfg.To) {
		return terminal.Usage("--since must lie before --until")
	}
	done, err := rebuildFrom(ctx, o, cfg, stderr)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted; the log has what was read so far")
		}
		return err
	}
	if o.asJSON {
		return terminal.JSON(stdout, done)
	}
	return terminal.Say(stdout, "%s\n", describeRebuilt(done))
}

// rebuildFrom finds Temporal and the registry as 'hookloop archive' does.
func rebuildFrom(ctx context.Context, o rebuildOptions, cfg attemptlog.RebuildConfig, stderr io.Writer) (done attemptlog.Rebuilt, err error) {
	as := archiveOptions{data: o.data}
	temporal, histories, end, err := dialArchive(ctx, &as, stderr)
	if err != nil {
		return done, err
	}
	defer end()
	s, err := archiveStore(ctx, as)
	if err != nil {
		return done, err
	}
	if s == nil {
		return done, errors.New("the attempt log lies in the registry: set HOOKLOOP_REGISTRY")
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	cfg.Store, cfg.Histories = s, audit.NewAttempts(temporal.Histories(), histories)
	return attemptlog.Rebuild(ctx, cfg)
}

func describeRebuilt(r attemptlog.Rebuilt) string {
	text := fmt.Sprintf("%s in %s", terminal.Count(r.Attempts, "row"), terminal.Count(r.Runs, "history"))
	if r.Unreadable > 0 {
		text += fmt.Sprintf("; %s encrypted, and the key is not in HOOKLOOP_HISTORY_KEY_FILE", terminal.Count(r.Unreadable, "history"))
	}
	return text
}

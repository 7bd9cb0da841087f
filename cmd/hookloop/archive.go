package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/internal/archive"
	"hookloop/internal/cli"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/logs"
	"hookloop/internal/orchestrator"
	"hookloop/internal/terminal"
)

type archiveOptions struct {
	to, tenant, since, until, data, key string
	overlap                             time.Duration
	follow, encrypted, asJSON           bool
	leaveLarge                          bool
	dev                                 string // folder of the 'hookloop dev' whose Temporal is read; empty: it is another's
}

func newArchive() *cobra.Command {
	var o archiveOptions
	c := &cobra.Command{
		Use:   "archive",
		Short: "Copy the histories of what has ended into files that outlive Temporal's retention",
		Long: `Copy the history of every Event, Delivery, Approval and Recovery that has ended into a folder: a file for each
(Temporal's own JSON, gzipped) at <to>/<tenant>/<yyyy>/<mm>/<dd>/, a line for each in <to>/_index/. A run
goes on where the one before stopped, twice at the same time is refused, and one that is interrupted, however
hard, leaves whole files only. Days are those on which it ended, in UTC.

The lines of the index are chained, and signed with --key: 'archive verify' finds a file and a line that were changed
together. What 'event erase' has erased goes from the archive at the next run, if it knows the registry; a line says
who wanted it and why.

Payloads are written in clear, so that they can be read when the keys of HOOKLOOP_HISTORY_KEY_FILE are long
replaced; keep the folder as you keep those keys. With --encrypted they stay as Temporal has them.

The data of large events lies in the registry: that of HOOKLOOP_REGISTRY, or of 'hookloop dev' with its folder.
It is copied into the event's file. A run that meets such an event and knows no registry stops; with --leave-large
it copies size and hash instead. Where payloads are encrypted, finding that data takes the key, also with --encrypted.

Temporal is where TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say, else where 'hookloop dev' runs on --data-dir. The
first run begins with the oldest that is kept; --since and --until (RFC 3339, or how long ago: 24h) name another
window of ends, also one that was copied before, where visibility had been behind for longer than --overlap.`,
		Example: `  hookloop archive --to /srv/archive
  hookloop archive --to /srv/archive --follow
  hookloop archive show /srv/archive/acme/2026/11/25/Event-….json.gz
  hookloop archive verify /srv/archive`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.to == "" {
				return terminal.Usage("give --to, the folder of the archive; see %s --help", c.CommandPath())
			}
			if o.follow && o.until != "" {
				return terminal.Usage("--follow has no end, --until is one")
			}
			return devdir.DiskTrouble(runArchive(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr()), o.to)
		},
	}
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "`folder` of the archive")
	f.StringVar(&o.tenant, "tenant", "", "whose executions; none: every tenant's")
	f.StringVar(&o.since, "since", "", "what ended from when on, a `time` or how long ago; none: where the run before stopped")
	f.StringVar(&o.until, "until", "", "what ended before, a `time` or how long ago; none: now")
	f.StringVar(&o.key, "key", "", "`file` of the key that signs the index ('hookloop key audit'); without one that of 'hookloop dev', else it is not signed")
	f.DurationVar(&o.overlap, "overlap", archive.DefaultOverlap, "how far to look back for what visibility did not know yet")
	cli.DataDir(f, &o.data, "", "`folder` of 'hookloop dev' (default \""+devdir.Default+"\")")
	f.BoolVar(&o.follow, "follow", false, "go on copying what ends, until Ctrl-C")
	f.BoolVar(&o.encrypted, "encrypted", false, "leave payloads as Temporal has them")
	f.BoolVar(&o.leaveLarge, "leave-large", false, "copy size and hash of large events, not their data")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	c.AddCommand(cli.ArchiveFiles(historyCodec)...)
	return c
}

func runArchive(ctx context.Context, o archiveOptions, stdout, stderr io.Writer) error {
	now := time.Now()
	since, err := terminal.ParseTime("--since", o.since, now)
	if err != nil {
		return err
	}
	until, err := terminal.ParseTime("--until", o.until, now)
	if err != nil {
		return err
	}
	if !until.IsZero() && !since.Before(until) {
		return terminal.Usage("--since must lie before --until")
	}
	temporal, histories, end, err := dialArchive(ctx, &o, stderr)
	if err != nil {
		return err
	}
	defer end()
	beside, err := archiveStore(ctx, o)
	if err != nil {
		return err
	}
	if beside != nil {
		defer func() { _ = beside.Close() }()
	}
	large, err := archiveBodies(beside, o, histories)
	if err != nil {
		return err
	}
	folder, err := openArchive(o)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	ended := temporal.Histories()
	cfg := archive.Config{
		Histories: ended, Folder: folder, Codec: histories, Bodies: large, Erasures: erasedIn(beside),
		Tenant: o.tenant, Overlap: o.overlap, Progress: progressTo(stderr),
	}
	if o.encrypted {
		cfg.Codec = nil
	}
	if cfg.Retention, err = ended.Retention(ctx); err != nil {
		return err
	}
	a, err := archive.New(cfg)
	if err != nil {
		return err
	}
	if o.follow {
		return a.Follow(ctx, since, func(r archive.Report) error { return showArchived(stdout, r, o) }, func(err error) {
			fmt.Fprintln(stderr, "hookloop: "+err.Error()+"; trying again")
		})
	}
	r, err := a.Run(ctx, since, until)
	return errors.Join(showArchived(stdout, r, o), interrupted(ctx, err))
}

// openArchive opens the folder with the key that signs it: one that is named, or that of `hookloop
// dev`; without either it is not signed.
func openArchive(o archiveOptions) (*archive.Folder, error) {
	path := o.key
	if path == "" && o.dev != "" && exists(filepath.Join(o.dev, devdir.AuditKeyFile)) {
		path = filepath.Join(o.dev, devdir.AuditKeyFile)
	}
	key, err := cli.SigningKey(path)
	if err != nil {
		return nil, err
	}
	return archive.Open(o.to, key)
}

// dialArchive connects to the Temporal of the environment, or to that of `hookloop dev` if the flag
// asks for it, or the environment names none. Its histories are read with the keys of the
// environment; end ends the connection.
func dialArchive(ctx context.Context, o *archiveOptions, stderr io.Writer) (_ *orchestrator.Orchestrator, histories *codec.Codec, end func(), err error) {
	if histories, err = historyCodec(config.OS("HOOKLOOP_HISTORY_KEY_FILE")); err != nil {
		return nil, nil, nil, err
	}
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	if o.data != "" || options.HostPort == "" {
		o.dev = cmp.Or(o.data, devdir.Default)
		dev, err := devdir.ReadRunning(o.dev)
		if err != nil && o.data != "" {
			return nil, nil, nil, fmt.Errorf("no 'hookloop dev' runs on %s: %w", o.data, err)
		}
		if err != nil {
			return nil, nil, nil, fmt.Errorf("set TEMPORAL_ADDRESS, or give the --data-dir of a running 'hookloop dev': %w", err)
		}
		options = client.Options{HostPort: dev.Temporal, Namespace: dev.Namespace}
	}
	options.Logger = sdklog.NewStructuredLogger(logs.OfCommand(stderr))
	options.Namespace = cmp.Or(options.Namespace, client.DefaultNamespace)
	c, err := dialWith(ctx, options, histories)
	if err != nil {
		return nil, nil, nil, err
	}
	temporal, err := orchestrator.New(orchestrator.Config{Client: c, Namespace: options.Namespace, Converter: histories.Converter()})
	return temporal, histories, c.Close, err
}

func progressTo(w io.Writer) func(time.Time, archive.Report) {
	soFar := terminal.Progress(w)
	return func(hour time.Time, r archive.Report) {
		soFar(fmt.Sprintf("ended %s: %d archived, %d known, %.1f MiB", terminal.UTC(hour), r.Archived, r.Known, float64(r.Bytes)/(1<<20)))
	}
}

func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted; the next run goes on from here")
	}
	return err
}

func showArchived(w io.Writer, r archive.Report, o archiveOptions) error {
	if o.asJSON {
		return terminal.JSON(w, r)
	}
	if o.encrypted {
		r.Encrypted = 0 // that was asked for
	}
	var text strings.Builder
	_, _ = fmt.Fprintf(&text, "archived %s (%.1f MiB) of what ended from %s to %s; %d were there\n",
		terminal.Count(r.Archived, "execution"), float64(r.Bytes)/(1<<20), terminal.UTC(r.From), terminal.UTC(r.Until), r.Known)
	for _, besides := range []struct {
		n           int
		thing, what string
	}{
		{r.Gone, "execution", "deleted before they could be copied"},
		{r.Encrypted, "execution", "kept encrypted, for the key is not in HOOKLOOP_HISTORY_KEY_FILE"},
		{r.Bodiless, "execution", "copied with size and hash of their large data, without the data"},
		{r.Erased, "file", "of erased events taken out"},
	} {
		if besides.n > 0 {
			_, _ = fmt.Fprintln(&text, terminal.Count(besides.n, besides.thing), besides.what)
		}
	}
	if r.Late {
		_, _ = fmt.Fprintln(&text, "the run before lies longer back than Temporal keeps what has ended: there may be gaps")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

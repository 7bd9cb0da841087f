// Package embedded is `hookloop bench`: it measures a Hookloop that runs in this process with its
// Temporal, beside bare Temporal workflows and with held deliveries, and has package bench measure
// `hookloop dev` in a process of its own.
package embedded

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"hookloop/internal/bench"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

type options struct {
	bench.Options // at a pace, in a process of its own

	rounds int
	bare   bool
	asJSON bool

	held     int // also measure as many held deliveries
	heldRate float64

	program string // to measure at a pace
	table   bool   // all of docs/benchmarks.md

	start Start // of what is measured in this process
}

// result is what `hookloop bench --json` prints. Times run from the moment the app begins its
// POST to the moment the endpoint has the event.
type result struct {
	Events             int      `json:"events"`
	Clients            int      `json:"clients"`
	AcceptedPerSecond  float64  `json:"accepted_per_second"`
	DeliveredPerSecond float64  `json:"delivered_per_second"`
	P50                float64  `json:"p50_ms"`
	P95                float64  `json:"p95_ms"`
	P99                float64  `json:"p99_ms"`
	CPUPerEvent        float64  `json:"cpu_ms_per_event"` // of this whole process: load and endpoint included
	Missing            int      `json:"missing"`
	Duplicates         int      `json:"duplicates"`
	BarePerSecond      *float64 `json:"bare_per_second,omitempty"`
	Ratio              *float64 `json:"ratio,omitempty"` // delivered ÷ bare, the median of the rounds
	*bench.Result
	*heldResult
}

// NewCommand is `hookloop bench`, which starts what it measures in this process with start.
func NewCommand(start Start) *cobra.Command {
	o := options{start: start}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast events are accepted and delivered on this machine",
		Long:  help,
		Example: `  hookloop bench
  hookloop bench --events 5000 --clients 32 --bare --json
  hookloop bench --latency 50ms,200ms,500ms,2s
  hookloop bench --latency 200ms --rate 100 --endpoints 10 --program ../before/bin/hookloop
  hookloop bench --rate 100
  hookloop bench --failing 0.5 --outage 2m
  hookloop bench --overload --busy
  hookloop bench --neighbour --hanging 4000 --hanging-endpoints 200
  hookloop bench --held 10000
  hookloop bench --table > table.md`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(c.Flags().Changed); err != nil {
				return err
			}
			return runBench(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.IntVar(&o.Events, "events", 0, "how many events to send (default: 2000; at a rate: as many as --duration takes)")
	f.IntVar(&o.Clients, "clients", 0, "how many clients send at once (default: 8, with --overload 128)")
	f.IntVar(&o.Size, "size", 512, "bytes of data in each event")
	f.IntVar(&o.rounds, "rounds", 5, "rounds the events are divided into")
	f.BoolVar(&o.bare, "bare", false, "also run bare Temporal workflows, in alternation")
	o.Flags(f)
	f.StringVar(&o.program, "program", "", "the hookloop to measure at a pace, to compare builds (default: this one)")
	f.IntVar(&o.held, "held", 0, "also measure what so many held deliveries cost, and their release")
	f.Float64Var(&o.heldRate, "held-rate", 100, "deliveries a second to ask of that release")
	f.BoolVar(&o.table, "table", false, "measure everything, and print the tables of docs/benchmarks.md")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// A closed loop, unless flags say otherwise.
const (
	defaultEvents  = 2000
	defaultClients = 8
)

func (o *options) check(changed func(string) bool) error {
	if err := o.Check(changed); err != nil {
		return terminal.Usage("%w", err)
	}
	if o.table && (o.Paced() || o.Neighbour || o.bare || o.held > 0 || o.asJSON || changed("rounds") || changed("events") || changed("clients")) {
		return terminal.Usage("--table measures everything as docs/benchmarks.md has it: it goes with --program and --size only")
	}
	if !o.Paced() && o.Events == 0 && !changed("events") {
		o.Events = defaultEvents
	}
	if !o.Overload && o.Clients == 0 && !changed("clients") {
		o.Clients = defaultClients
	}
	switch {
	case o.Events < 0 || o.Events > 1_000_000 || o.Events == 0 && changed("events"):
		return terminal.Usage("--events must lie between 1 and 1000000")
	case o.Clients < 0 || o.Clients > 1000 || o.Clients == 0 && changed("clients"):
		return terminal.Usage("--clients must lie between 1 and 1000")
	case o.Size < 2 || o.Size > 250<<10:
		return terminal.Usage("--size must lie between 2 and 256000 bytes")
	case o.rounds < 1 || !o.Paced() && o.rounds > o.Events:
		return terminal.Usage("--rounds must lie between 1 and the number of events")
	case o.held < 0 || o.held > 100_000:
		return terminal.Usage("--held must lie between 0 and 100000")
	case o.program != "" && !o.Paced() && !o.Neighbour && !o.table:
		return terminal.Usage("--program needs a measurement at a pace: --latency, --rate, --failing, --outage, --overload, --neighbour or --table")
	case o.Paced() && (o.bare || o.held > 0 || changed("rounds")):
		return terminal.Usage("--bare, --rounds and --held are measured in one process, and --latency, --rate, --failing, --outage and --overload in two: run them apart")
	}
	if err := (webhook.Decision{RatePerSecond: o.heldRate}).Check(); err != nil || o.heldRate == 0 {
		return terminal.Usage("--held-rate must lie between %g and %d", webhook.MinReleaseRate, webhook.MaxReleaseRate)
	}
	return nil
}

func runBench(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "hookloop-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if o.table {
		return runTable(ctx, folder, o, stdout, stderr)
	}
	if o.Paced() {
		r, err := runPaced(ctx, folder, o, stderr)
		if err != nil {
			return err
		}
		if o.asJSON {
			return terminal.JSON(stdout, r)
		}
		return r.Markdown(stdout)
	}
	result, err := runRounds(ctx, folder, o, stderr)
	if err != nil {
		return err
	}
	if o.Neighbour {
		if result.Result, err = runPaced(ctx, folder, o, stderr); err != nil {
			return err
		}
	}
	if o.held > 0 {
		if result.heldResult, err = runHeld(ctx, folder, o, stderr); err != nil {
			return err
		}
	}
	if o.asJSON {
		return terminal.JSON(stdout, result)
	}
	return result.print(stdout)
}

// runPaced measures `dev` in processes of its own, a fresh one each time.
func runPaced(ctx context.Context, folder string, o options, stderr io.Writer) (*bench.Result, error) {
	w, err := devWorld(folder, o.program, stderr)
	if err != nil {
		return nil, err
	}
	return o.Run(ctx, w)
}

func devWorld(folder, program string, stderr io.Writer) (w bench.World, err error) {
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return w, err
		}
	}
	n := 0
	return bench.World{Progress: stderr, Start: func(ctx context.Context) (*bench.Target, error) {
		n++
		return bench.StartDev(ctx, program, filepath.Join(folder, "dev-"+strconv.Itoa(n)))
	}}, nil
}

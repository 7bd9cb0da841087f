//go:build !noembed

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/webhook"
)

type benchOptions struct {
	events  int
	clients int
	size    int
	rounds  int
	bare    bool
	asJSON  bool

	neighbour bool // also measure beside one
	held      int  // also measure as many held deliveries
	heldRate  float64
}

// benchResult is what `hookloop bench --json` prints. Times run from the moment the app begins its
// POST to the moment the endpoint has the event.
type benchResult struct {
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
	*neighbourResult
	*heldResult
}

func newBench() *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast events are accepted and delivered on this machine",
		Long: `Measure how fast this machine accepts and delivers events: an embedded Temporal in a throw-away
folder, gateway, worker, clients and one endpoint, all in this process.

With --bare the same number of bare Temporal workflows (eager start, one local activity that does
nothing, the same payload) runs on the same engine, round by round in alternation; the ratio says
what Hookloop costs on top of Temporal, whatever the machine does meanwhile.

With --neighbour it then takes five more minutes to tell what a bad neighbour costs: one tenant's
endpoint gets 20 events a second alone, then while another tenant posts 1,000 events as fast as it
can for an endpoint that accepts connections and never answers, and then beside those events.

With --held it then takes some minutes to tell what deliveries cost that wait for a person: as many
events are posted for an endpoint that was paused; once all wait, CPU and memory are measured for a
minute, and the endpoint is resumed at --held-rate deliveries a second.`,
		Example: `  hookloop bench
  hookloop bench --events 5000 --clients 32 --bare --json
  hookloop bench --neighbour
  hookloop bench --held 10000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runBench(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.IntVar(&o.events, "events", 2000, "how many events to send")
	f.IntVar(&o.clients, "clients", 8, "how many clients send at once")
	f.IntVar(&o.size, "size", 512, "bytes of data in each event")
	f.IntVar(&o.rounds, "rounds", 5, "rounds the events are divided into")
	f.BoolVar(&o.bare, "bare", false, "also run bare Temporal workflows, in alternation")
	f.BoolVar(&o.neighbour, "neighbour", false, "also measure what a tenant whose endpoint never answers costs another")
	f.IntVar(&o.held, "held", 0, "also measure what so many held deliveries cost, and their release")
	f.Float64Var(&o.heldRate, "held-rate", 100, "deliveries a second to ask of that release")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func (o benchOptions) check() error {
	switch {
	case o.events < 1 || o.events > 1_000_000:
		return usage("--events must lie between 1 and 1000000")
	case o.clients < 1 || o.clients > 1000:
		return usage("--clients must lie between 1 and 1000")
	case o.size < 2 || o.size > 250<<10:
		return usage("--size must lie between 2 and 256000 bytes")
	case o.rounds < 1 || o.rounds > o.events:
		return usage("--rounds must lie between 1 and the number of events")
	case o.held < 0 || o.held > 100_000:
		return usage("--held must lie between 0 and 100000")
	}
	if err := (webhook.Decision{RatePerSecond: o.heldRate}).Check(); err != nil || o.heldRate == 0 {
		return usage("--held-rate must lie between %g and %d", webhook.MinReleaseRate, webhook.MaxReleaseRate)
	}
	return nil
}

func runBench(ctx context.Context, o benchOptions, stdout, stderr io.Writer) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "hookloop-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	result, err := runRounds(ctx, filepath.Join(folder, "rounds"), o, stderr)
	if err != nil {
		return err
	}
	if o.neighbour {
		if result.neighbourResult, err = runNeighbours(ctx, folder, o, stderr); err != nil {
			return err
		}
	}
	if o.held > 0 {
		if result.heldResult, err = runHeld(ctx, folder, o, stderr); err != nil {
			return err
		}
	}
	if o.asJSON {
		return printJSON(stdout, result)
	}
	return result.print(stdout)
}

func runRounds(ctx context.Context, folder string, o benchOptions, stderr io.Writer) (benchResult, error) {
	b, err := startBench(ctx, folder, o, newLogger(stderr, false))
	if err != nil {
		return benchResult{}, err
	}
	defer b.stop()
	return b.rounds(ctx, stderr)
}

// bench is Hookloop, an endpoint and its clients in one process.
type bench struct {
	options  benchOptions
	dev      *dev
	endpoint *benchEndpoint
	bare     *bareWorker
	url      string // of the events
	token    string
	stop     func()
}

func startBench(ctx context.Context, folder string, o benchOptions, log *slog.Logger) (_ *bench, err error) {
	tuneGC()
	data, err := openData(folder)
	if err != nil {
		return nil, err
	}
	b := &bench{options: o}
	b.dev, err = startDev(ctx, devOptions{temporalListen: "127.0.0.1:0"}, data, log)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		b.dev.close()
		return nil, err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- b.dev.service.run(serving, l) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			log.Error("bench", "error", err)
		}
		b.bare.stop()
		b.endpoint.stop()
		b.dev.close()
		_ = data.Close()
	}
	place, err := b.dev.announce(data, l.Addr().String())
	if err == nil {
		err = b.prepare(ctx, place)
	}
	if err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

// prepare sets up the endpoint, registers it, and runs a few events that nobody counts.
func (b *bench) prepare(ctx context.Context, place devFile) (err error) {
	b.url, b.token = place.Gateway+"/v1/tenants/"+place.Tenant, place.Token
	if b.endpoint, err = startBenchEndpoint(ctx); err != nil {
		return err
	}
	if _, err := b.post(ctx, "/endpoints", []byte(`{"url":"`+b.endpoint.url+`"}`)); err != nil {
		return err
	}
	if b.options.bare {
		if b.bare, err = startBare(b.dev.client, b.endpoint); err != nil {
			return err
		}
	}
	warm := min(b.options.events, 200)
	if _, err := b.round(ctx, warm, b.postEvent); err != nil {
		return err
	}
	if b.bare != nil {
		_, err = b.round(ctx, warm, b.startBare)
	}
	return err
}

// rounds runs Hookloop and, in alternation, bare Temporal.
func (b *bench) rounds(ctx context.Context, progress io.Writer) (benchResult, error) {
	var ours, bares []benchRound
	for i := range b.options.rounds {
		n := b.options.events / b.options.rounds
		if i < b.options.events%b.options.rounds {
			n++
		}
		r, err := b.round(ctx, n, b.postEvent)
		if err != nil {
			return benchResult{}, err
		}
		ours = append(ours, r)
		fmt.Fprintf(progress, "round %d of %d: %.0f events/s", i+1, b.options.rounds, r.deliveredPerSecond())
		if b.bare != nil {
			if r, err = b.round(ctx, n, b.startBare); err != nil {
				return benchResult{}, err
			}
			bares = append(bares, r)
			fmt.Fprintf(progress, ", bare %.0f workflows/s", r.deliveredPerSecond())
		}
		_, _ = fmt.Fprintln(progress)
	}
	return summarize(b.options, ours, bares), nil
}

func summarize(o benchOptions, ours, bares []benchRound) benchResult {
	r := benchResult{Events: o.events, Clients: o.clients}
	var latencies []time.Duration
	var accepting, delivering, cpu time.Duration
	for _, x := range ours {
		latencies = append(latencies, x.latencies...)
		accepting, delivering, cpu = accepting+x.accepting, delivering+x.delivering, cpu+x.cpu
		r.Missing, r.Duplicates = r.Missing+x.missing, r.Duplicates+x.duplicates
	}
	slices.Sort(latencies)
	r.P50, r.P95, r.P99 = percentile(latencies, 50), percentile(latencies, 95), percentile(latencies, 99)
	r.AcceptedPerSecond = float64(o.events) / accepting.Seconds()
	r.DeliveredPerSecond = float64(len(latencies)) / delivering.Seconds()
	r.CPUPerEvent = float64(cpu.Microseconds()) / 1000 / float64(o.events)
	if len(bares) == 0 {
		return r
	}
	var ratios []float64
	var bare time.Duration
	for i, x := range bares {
		ratios = append(ratios, ours[i].deliveredPerSecond()/x.deliveredPerSecond())
		bare += x.delivering
	}
	slices.Sort(ratios)
	perSecond := float64(o.events) / bare.Seconds()
	r.BarePerSecond, r.Ratio = &perSecond, &ratios[len(ratios)/2]
	return r
}

// percentile is by nearest rank, in milliseconds.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := max((len(sorted)*p+99)/100, 1)
	return float64(sorted[rank-1].Microseconds()) / 1000
}

func (r benchResult) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `events               %d from %d clients
accepted             %.0f/s
delivered            %.0f/s
accept to receipt    p50 %.1f ms, p95 %.1f ms, p99 %.1f ms
CPU                  %.2f ms per event
missing, duplicates  %d, %d
`, r.Events, r.Clients, r.AcceptedPerSecond, r.DeliveredPerSecond, r.P50, r.P95, r.P99, r.CPUPerEvent, r.Missing, r.Duplicates)
	if err == nil && r.Ratio != nil {
		_, err = fmt.Fprintf(w, "bare Temporal        %.0f workflows/s, ratio %.2f\n", *r.BarePerSecond, *r.Ratio)
	}
	if err == nil && r.neighbourResult != nil {
		err = r.neighbourResult.print(w)
	}
	if err == nil && r.heldResult != nil {
		err = r.heldResult.print(w)
	}
	return err
}

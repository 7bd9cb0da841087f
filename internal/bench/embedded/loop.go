package embedded

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	temporal "go.temporal.io/sdk/client"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/bench"
)

func runRounds(ctx context.Context, folder string, o options, stderr io.Writer) (result, error) {
	b, err := startLoop(ctx, filepath.Join(folder, "rounds"), o, stderr)
	if err != nil {
		return result{}, err
	}
	defer b.stop()
	return b.rounds(ctx, stderr)
}

// Hookloop is a whole one with its Temporal, embedded in this process.
type Hookloop struct {
	Gateway   string // base URL
	Tenant    string
	Token     string // every scope
	Temporal  temporal.Client
	Namespace string // of Temporal
	Stop      func() // ends it; never nil
}

// Start starts a Hookloop with its data in a folder. What goes wrong later is logged to the writer.
type Start func(ctx context.Context, folder string, log io.Writer) (*Hookloop, error)

// loop is an embedded Hookloop, an endpoint and its clients: each client posts as fast as it is
// answered.
type loop struct {
	options  options
	hookloop *Hookloop
	endpoint *receiver
	bare     *bareWorker // nil: nothing is compared with
	hooks    *client.Client
}

func startLoop(ctx context.Context, folder string, o options, log io.Writer) (*loop, error) {
	h, err := o.start(ctx, folder, log)
	if err != nil {
		return nil, err
	}
	b := &loop{options: o, hookloop: h}
	if b.hooks, err = connect(h); err == nil {
		err = b.prepare(ctx)
	}
	if err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func (b *loop) stop() {
	b.bare.stop()
	b.hookloop.Stop()
	b.endpoint.stop()
}

// prepare sets up the endpoint, registers it, and runs a few events that are not counted.
func (b *loop) prepare(ctx context.Context) (err error) {
	if b.endpoint, err = startReceiver(ctx); err != nil {
		return err
	}
	if _, err := b.hooks.Endpoints.Create(api.NewEndpoint{URL: b.endpoint.url}).Do(ctx); err != nil {
		return err
	}
	if b.options.bare {
		if b.bare, err = startBare(b.hookloop.Temporal, b.endpoint); err != nil {
			return err
		}
	}
	warm := min(b.options.Events, 200)
	if _, err := b.round(ctx, warm, b.postEvent); err != nil {
		return err
	}
	if b.bare != nil {
		_, err = b.round(ctx, warm, b.startBare)
	}
	return err
}

// rounds runs Hookloop and, in alternation, bare Temporal.
func (b *loop) rounds(ctx context.Context, progress io.Writer) (result, error) {
	var ours, bares []roundFigures
	for i := range b.options.rounds {
		n := b.options.Events / b.options.rounds
		if i < b.options.Events%b.options.rounds {
			n++
		}
		r, err := b.round(ctx, n, b.postEvent)
		if err != nil {
			return result{}, err
		}
		ours = append(ours, r)
		fmt.Fprintf(progress, "round %d of %d: %.0f events/s", i+1, b.options.rounds, r.deliveredPerSecond())
		if b.bare != nil {
			if r, err = b.round(ctx, n, b.startBare); err != nil {
				return result{}, err
			}
			bares = append(bares, r)
			fmt.Fprintf(progress, ", bare %.0f workflows/s", r.deliveredPerSecond())
		}
		_, _ = fmt.Fprintln(progress)
	}
	return summarize(b.options, ours, bares), nil
}

func summarize(o options, ours, bares []roundFigures) result {
	r := result{Events: o.Events, Clients: o.Clients}
	var latencies []time.Duration
	var accepting, delivering, cpu time.Duration
	for _, x := range ours {
		latencies = append(latencies, x.latencies...)
		accepting, delivering, cpu = accepting+x.accepting, delivering+x.delivering, cpu+x.cpu
		r.Missing, r.Duplicates = r.Missing+x.missing, r.Duplicates+x.duplicates
	}
	slices.Sort(latencies)
	r.P50, r.P95, r.P99 = bench.Percentile(latencies, 50), bench.Percentile(latencies, 95), bench.Percentile(latencies, 99)
	r.AcceptedPerSecond = float64(o.Events) / accepting.Seconds()
	r.DeliveredPerSecond = float64(len(latencies)) / delivering.Seconds()
	r.CPUPerEvent = float64(cpu.Microseconds()) / 1000 / float64(o.Events)
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
	perSecond := float64(o.Events) / bare.Seconds()
	r.BarePerSecond, r.Ratio = &perSecond, &ratios[len(ratios)/2]
	return r
}

func (r result) print(w io.Writer) error {
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
	if err == nil && r.Result != nil {
		err = r.Markdown(w)
	}
	if err == nil && r.heldResult != nil {
		err = r.heldResult.print(w)
	}
	return err
}

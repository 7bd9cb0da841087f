//go:build !noembed

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"time"
)

func runRounds(ctx context.Context, folder string, o benchOptions, stderr io.Writer) (benchResult, error) {
	b, err := startBench(ctx, filepath.Join(folder, "rounds"), o, newLogger(stderr, false))
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
	go func() { done <- b.dev.service.run(serving, l, nil) }()
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
func (b *bench) rounds(ctx context.Context, progress io.Writer) (benchResult, error) {
	var ours, bares []benchRound
	for i := range b.options.rounds {
		n := b.options.Events / b.options.rounds
		if i < b.options.Events%b.options.rounds {
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
	r := benchResult{Events: o.Events, Clients: o.Clients}
	var latencies []time.Duration
	var accepting, delivering, cpu time.Duration
	for _, x := range ours {
		latencies = append(latencies, x.latencies...)
		accepting, delivering, cpu = accepting+x.accepting, delivering+x.delivering, cpu+x.cpu
		r.Missing, r.Duplicates = r.Missing+x.missing, r.Duplicates+x.duplicates
	}
	slices.Sort(latencies)
	r.P50, r.P95, r.P99 = percentile(latencies, 50), percentile(latencies, 95), percentile(latencies, 99)
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
	if err == nil && r.Result != nil {
		err = r.Markdown(w)
	}
	if err == nil && r.heldResult != nil {
		err = r.heldResult.print(w)
	}
	return err
}

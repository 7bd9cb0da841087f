package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"
)

// tableNeighbours is how many pairs a row about neighbours takes: there are four of them.
const tableNeighbours = 3

// Table measures all that docs/benchmarks.md tells of, and prints each table when it has it: a run
// that is broken off has shown what it had. It takes about half an hour.
func Table(ctx context.Context, w World, size int, out io.Writer) error {
	for _, o := range sittings(size) {
		r, err := o.Run(ctx, w)
		if err != nil {
			return err
		}
		if err := r.Markdown(out); err != nil {
			return err
		}
	}
	return nil
}

// About is the machine, for the head of a table.
func About() string {
	return fmt.Sprintf("%d cores, %s/%s, %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), time.Now().UTC().Format(time.DateOnly))
}

// sittings are the measurements of the table. Each compares within itself.
func sittings(size int) []Options {
	load := Load{Size: size, Seed: 1, Clients: 8}
	half, one, ten := load, load, load
	half.Half, ten.Half, ten.Endpoints = true, true, 10
	one.Endpoints, one.Clients = 1, 0
	noisy := func(attempts, endpoints int) Options {
		return Options{Load: load, Neighbour: true, Noisy: Noisy{Attempts: attempts, Endpoints: endpoints, Pairs: tableNeighbours}}
	}
	return []Options{
		{Load: half, Latencies: []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}},
		{Load: ten, Latencies: []time.Duration{200 * time.Millisecond, 2 * time.Second}},
		{Load: load, Failing: 0.5},
		{Load: load, Outage: 2 * time.Minute, Answer: "refuse"},
		{Load: one, Overload: true},
		{Load: one, Overload: true, Busy: true},
		noisy(250, 1), noisy(1000, 1), noisy(2500, 1), noisy(4000, 200),
	}
}

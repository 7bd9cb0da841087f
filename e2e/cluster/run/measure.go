package main

import (
	"context"
	"flag"
	"os"
	"time"

	"github.com/spf13/pflag"

	"hookloop/e2e/cluster"
	"hookloop/internal/bench"
)

// measurements are those of `hookloop bench` at a pace, with the same flags.
func measurements() *bench.Options {
	o := &bench.Options{}
	all := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	o.Flags(all)
	all.VisitAll(func(f *pflag.Flag) { flag.Var(f.Value, f.Name, f.Usage) })
	return o
}

// checkMeasurements reads the rate, and says what cannot be measured.
func checkMeasurements(o *bench.Options, clients int) error {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !o.Overload || given["clients"] {
		o.Clients = clients
	}
	o.Size = len(loadData) + 2
	return o.Check(func(name string) bool { return given[name] })
}

// measure lets each measurement have a tenant of its own of the one cluster.
func measure(s *stage, c *cluster.Cluster, o *bench.Options) {
	r, err := o.Run(s.Context(), bench.World{Progress: os.Stderr, Start: func(context.Context) (*bench.Target, error) {
		t := &bench.Target{Token: c.Token, CPU: func(context.Context) (time.Duration, error) { return c.Used(), nil }}
		for _, p := range c.Gateways {
			t.Gateways = append(t.Gateways, p.URL())
		}
		for _, p := range c.Hookloops() {
			t.Metrics = append(t.Metrics, p.URL())
		}
		return t, t.Watch(c.Temporal.Address, c.Namespace)
	}})
	if err == nil {
		err = r.Markdown(os.Stdout)
	}
	if err != nil {
		s.Fatal(err)
	}
}

package bench

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"
)

// Options are the measurements that are asked for, and their load, as flags say it.
type Options struct {
	Load

	rate string // a number, "half", or empty: the measurement's own

	Latencies []time.Duration
	Failing   float64
	Outage    time.Duration
	Answer    string // of the endpoint that is down: refuse, 503
	Overload  bool
	Busy      bool
	Neighbour bool
	Noisy     Noisy
}

// Flags are the same for every shape of Hookloop.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.DurationSliceVar(&o.Latencies, "latency", nil, "measure endpoints that answer after so long, each beside one that answers at once: 50ms,200ms,2s")
	f.StringVar(&o.rate, "rate", "", "events per second to offer, whatever the answers are; half: half of what this machine can do; 0: each client posts as fast as it is answered (default: with --latency half, with --failing and --outage 50)")
	f.IntVar(&o.Endpoints, "endpoints", 1, "spread the events over so many endpoints, by type")
	f.DurationVar(&o.Duration, "duration", 0, "how long to offer the load (default: 20s, with --overload 1m)")
	f.Float64Var(&o.Failing, "failing", 0, "measure an endpoint that answers 500 to this share of the attempts, between 0 and 1")
	f.DurationVar(&o.Outage, "outage", 0, "measure an endpoint that is down for so long, while 1,000 events come, and then is back")
	f.StringVar(&o.Answer, "outage-answer", "refuse", "what an endpoint that is down does: refuse connections, or answer 503")
	f.BoolVar(&o.Overload, "overload", false, "measure three times the load this machine can carry, from 128 clients")
	f.BoolVar(&o.Busy, "busy", false, "with --overload: let another process take half of the CPU meanwhile")
	f.BoolVar(&o.Neighbour, "neighbour", false, "measure what a tenant whose endpoint never answers costs another")
	f.IntVar(&o.Noisy.Attempts, "hanging", neighbourEvents, "with --neighbour: attempts that hang (events times endpoints)")
	f.IntVar(&o.Noisy.Endpoints, "hanging-endpoints", 1, "with --neighbour: endpoints that never answer; each event is for all of them")
	f.DurationVar(&o.Retry, "retry", 0, "with --failing and --outage: the wait between two attempts of a delivery (default: 1s, 5s)")
	f.Uint64Var(&o.Seed, "seed", 1, "of what is drawn")
}

// Paced is whether anything is asked for that is measured here at a rate; Neighbour alone is not.
func (o *Options) Paced() bool {
	return len(o.Latencies) > 0 || o.rate != "" || o.Failing != 0 || o.Outage != 0 || o.Overload
}

// Check says what cannot be measured, in the words of the flags, and reads the rate.
func (o *Options) Check(changed func(flag string) bool) error {
	return cmp.Or(o.checkLoad(), o.checkRate(), o.checkKinds(), o.checkNeeds(changed))
}

func (o *Options) checkLoad() error {
	for _, l := range o.Latencies {
		if l < 0 || l > 30*time.Second {
			return fmt.Errorf("--latency must lie between 0s and 30s")
		}
	}
	switch {
	case len(o.Latencies) > 20:
		return fmt.Errorf("--latency takes at most 20 values")
	case o.Endpoints < 1 || o.Endpoints > 1000:
		return fmt.Errorf("--endpoints must lie between 1 and 1000")
	case o.Duration < 0 || o.Duration > time.Hour:
		return fmt.Errorf("--duration must lie between 0s and 1h")
	case o.Retry < 0 || o.Retry > time.Hour:
		return fmt.Errorf("--retry must lie between 0s and 1h")
	}
	return nil
}

// maxRate is far above what one machine accepts.
const maxRate = 100_000

func (o *Options) checkRate() error {
	switch o.rate {
	case "":
		o.Half = true
		return nil
	case "half":
		o.Half = true
		if o.Failing != 0 || o.Outage != 0 || o.Overload {
			return fmt.Errorf("--rate half goes with --latency only")
		}
		return nil
	}
	rate, err := strconv.ParseFloat(o.rate, 64)
	if err != nil || !(rate >= 0 && rate <= maxRate) {
		return fmt.Errorf("--rate must be half, or lie between 0 and %d", maxRate)
	}
	if rate == 0 && (o.Failing != 0 || o.Outage != 0 || o.Overload) {
		return fmt.Errorf("--rate 0 goes with --latency only")
	}
	o.Rate = rate
	return nil
}

func (o *Options) checkKinds() error {
	switch {
	case !(o.Failing >= 0 && o.Failing < 1):
		return fmt.Errorf("--failing must lie between 0 and 1")
	case o.Outage < 0 || o.Outage > time.Hour:
		return fmt.Errorf("--outage must lie between 0s and 1h")
	case o.Answer != "refuse" && o.Answer != "503":
		return fmt.Errorf("--outage-answer must be refuse or 503")
	case o.Noisy.Attempts < 1 || o.Noisy.Attempts > 100_000:
		return fmt.Errorf("--hanging must lie between 1 and 100000")
	case o.Noisy.Endpoints < 1 || o.Noisy.Endpoints > 1000 || o.Noisy.Endpoints > o.Noisy.Attempts:
		return fmt.Errorf("--hanging-endpoints must lie between 1 and 1000, and not above --hanging")
	}
	return nil
}

// checkNeeds refuses flags that would change nothing.
func (o *Options) checkNeeds(changed func(string) bool) error {
	needs := []struct {
		flag string
		with bool
		what string
	}{
		{"busy", o.Overload, "--overload"},
		{"hanging", o.Neighbour, "--neighbour"},
		{"hanging-endpoints", o.Neighbour, "--neighbour"},
		{"outage-answer", o.Outage != 0, "--outage"},
		{"retry", o.Failing != 0 || o.Outage != 0, "--failing or --outage"},
		{"seed", o.Failing != 0, "--failing"},
		{"endpoints", o.Paced(), "--latency, --rate, --failing, --outage or --overload"},
		{"duration", o.Paced(), "--latency, --rate, --failing or --overload"},
	}
	for _, n := range needs {
		if changed(n.flag) && !n.with {
			return fmt.Errorf("--%s needs %s", n.flag, n.what)
		}
	}
	if o.Events > 0 && o.Duration > 0 {
		return fmt.Errorf("give --events or --duration, not both")
	}
	return nil
}

// Result has what was asked for.
type Result struct {
	Latency          *LatencyResult  `json:"latency,omitempty"`
	Failing          *FailingResult  `json:"failing,omitempty"`
	Outage           *OutageResult   `json:"outage,omitempty"`
	Overload         *OverloadResult `json:"overload,omitempty"`
	*NeighbourResult                 // its fields stand beside those of the rounds
}

// Run measures what was asked for, one after the other.
func (o Options) Run(ctx context.Context, w World) (r *Result, err error) {
	r = &Result{}
	own := o.Load // where half of the peak is not offered
	own.Half = false
	if len(o.Latencies) > 0 || o.rate != "" && o.Failing == 0 && o.Outage == 0 && !o.Overload {
		if r.Latency, err = Latency(ctx, w, o.Load, o.Latencies); err != nil {
			return nil, err
		}
	}
	if o.Failing > 0 {
		if r.Failing, err = Failing(ctx, w, own, o.Failing); err != nil {
			return nil, err
		}
	}
	if o.Outage > 0 {
		if r.Outage, err = Outage(ctx, w, own, o.Outage, o.Answer == "refuse"); err != nil {
			return nil, err
		}
	}
	if o.Overload {
		if r.Overload, err = Overload(ctx, w, own, o.Busy); err != nil {
			return nil, err
		}
	}
	if o.Neighbour {
		r.NeighbourResult, err = Neighbour(ctx, w, own, o.Noisy)
	}
	return r, err
}

package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// OverloadResult is what becomes of a machine that is offered more than it can carry, and after.
type OverloadResult struct {
	Busy     bool    `json:"busy"`            // half of the CPU was taken by another process
	Peak     float64 `json:"peak_per_second"` // accepted, from as many clients as it takes
	Offered  float64 `json:"offered_per_second"`
	Seconds  float64 `json:"seconds"`
	Clients  int     `json:"clients"`
	Posted   float64 `json:"posted_per_second"` // what the clients came to: each waits for its answers
	Accepted float64 `json:"accepted_per_second"`
	Ratio    float64 `json:"accepted_ratio"` // of the peak
	Accept   times   `json:"accept"`         // from the POST to its 202
	Refuse   times   `json:"refuse"`         // from the POST to its refusal
	// Refused counts the refusals by status.
	Refused    map[int]int `json:"refused"`
	Unlimited  int         `json:"refused_without_retry_after"` // must be 0
	Deliver    times       `json:"deliver"`                     // from the POST to the endpoint
	Missing    int         `json:"missing"`                     // accepted, and not delivered
	Duplicates int         `json:"duplicates"`
	Drained    float64     `json:"drained_seconds"` // from the last answer until all had arrived
	Deferrals  float64     `json:"deferrals"`
	Before     times       `json:"before"` // at 20/s, from the POST to the endpoint
	After      times       `json:"after"`  // the same, from 5 s after the load
	RatioP99   float64     `json:"ratio_p99_after"`
	Machine    Machine     `json:"machine"`
}

const (
	overloadTimes   = 3 // the peak
	overloadWindow  = time.Minute
	overloadClients = 128
	overloadRest    = 5 * time.Second // after the load
	calmRate        = 20              // before and after
	calmWindow      = 20 * time.Second
)

// Overload offers three times the peak, or l.Rate. What the peak is is measured in the same target,
// beside the busy loop if there is one.
func Overload(ctx context.Context, w World, l Load, busy bool) (*OverloadResult, error) {
	if busy {
		wait, err := Busy(ctx)
		if err != nil {
			return nil, err
		}
		defer wait()
	}
	o := &overload{load: l, result: OverloadResult{Busy: busy, Clients: overloadClients, Offered: l.Rate}}
	if l.Clients > 0 {
		o.result.Clients = l.Clients
	}
	accepted, _, err := Peak(ctx, w, l)
	if err != nil {
		return nil, err
	}
	if o.result.Peak = accepted; o.result.Offered == 0 {
		o.result.Offered = overloadTimes * accepted
	}
	t, err := w.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	look := lookAt()
	if err := o.play(ctx, t); err != nil {
		return nil, fmt.Errorf("overload: %w", err)
	}
	o.result.Machine = look.until(lookAt())
	_, _ = fmt.Fprintf(w.Progress, "overload: %.0f/s accepted of %.0f/s posted, %.2f of the peak; p99 %.0f ms, of refusals %.1f ms; %d missing; p99 at 20/s %.1f ms before, %.1f after\n",
		o.result.Accepted, o.result.Posted, o.result.Ratio, o.result.Accept.P99, o.result.Refuse.P99, o.result.Missing, o.result.Before.P99, o.result.After.P99)
	return &o.result, nil
}

// overload is one under way.
type overload struct {
	load   Load
	result OverloadResult
}

func (o *overload) play(ctx context.Context, t *Target) error {
	calm := o.load
	calm.Rate, calm.Half, calm.Events = calmRate, false, 0
	quiet, err := newStage(ctx, t, calm, EndpointConfig{})
	if err != nil {
		return err
	}
	defer quiet.close()
	s, err := newStage(ctx, t, calm, EndpointConfig{})
	if err != nil {
		return err
	}
	defer s.close()
	if o.result.Before, err = quiet.calm(ctx, latencyWarm); err != nil {
		return err
	}
	before, err := t.state(ctx)
	if err != nil {
		return err
	}
	r := o.storm(ctx, s)
	if o.result.After, err = quiet.calm(ctx, 0); err != nil {
		return err
	}
	o.result.RatioP99 = ratio(o.result.After.P99, o.result.Before.P99)
	s.endpoint.await(ctx, r.ids(), Patience)
	after, err := t.state(ctx)
	if err != nil {
		return err
	}
	r.used, r.arrivals = after.since(before), r.own(s.endpoint.seen())
	o.judge(r)
	return r.failure()
}

// calm measures at a pace that leaves the machine idle most of the time.
func (s *stage) calm(ctx context.Context, warm time.Duration) (times, error) {
	if warm > 0 {
		if _, err := s.run(ctx, warm); err != nil {
			return times{}, err
		}
	}
	r, err := s.run(ctx, calmWindow)
	if err != nil {
		return times{}, err
	}
	took, missing := r.took(r.firsts())
	if missing > 0 {
		return times{}, fmt.Errorf("%d of %d events did not arrive at %d/s", missing, r.accepted(), calmRate)
	}
	return summary(took), nil
}

// storm ends five seconds after the last answer, with what is still on its way.
func (o *overload) storm(ctx context.Context, s *stage) *run {
	r := &run{begun: time.Now()}
	r.posts = openLoop(ctx, ctx, o.result.Offered, o.load.span(o.result.Offered, overloadWindow), 0, o.result.Clients, s.send)
	r.posting = time.Since(r.begun)
	wait(ctx, time.Now().Add(overloadRest))
	return r
}

func (o *overload) judge(r *run) {
	var accepted, refused []time.Duration
	for _, p := range r.posts {
		switch {
		case p.accepted():
			accepted = append(accepted, p.answered.Sub(p.sent))
		case refusal(p.status):
			refused = append(refused, p.answered.Sub(p.sent))
			if !p.retryAfter {
				o.result.Unlimited++
			}
		}
	}
	took, missing := r.tookSince(r.firsts(), func(p post) time.Time { return p.sent })
	o.result.Seconds = math.Round(r.posting.Seconds()*10) / 10
	o.result.Posted, o.result.Accepted = float64(len(r.posts))/r.posting.Seconds(), r.acceptedPerSecond()
	o.result.Ratio = ratio(o.result.Accepted, o.result.Peak)
	o.result.Accept, o.result.Refuse, o.result.Refused = summary(accepted), summary(refused), r.refused()
	o.result.Deliver, o.result.Missing, o.result.Duplicates = summary(took), missing, r.duplicates()
	o.result.Deferrals = r.used.deferrals
	if len(r.arrivals) > 0 {
		o.result.Drained = max(0, r.arrivals[len(r.arrivals)-1].at.Sub(r.begun.Add(r.posting)).Seconds())
	}
}

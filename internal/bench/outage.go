package bench

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// OutageResult is what becomes of events that come while their endpoint is down, once it is back.
type OutageResult struct {
	Outage           float64     `json:"outage_seconds"`
	Answer           string      `json:"outage_answer"` // "refuse" or "503"
	Retry            float64     `json:"retry_ms"`
	Before           int         `json:"events_before"`
	Events           int         `json:"events"` // posted while it was down
	Delivered        int         `json:"delivered"`
	First            float64     `json:"first_seconds"` // from the return until the first arrived
	P50              float64     `json:"p50_seconds"`
	All              float64     `json:"all_seconds"` // until the last one did
	Patience         float64     `json:"patience_seconds"`
	PeakBefore       int         `json:"peak_per_second_before"` // the most arrivals in a second, before
	PeakAfter        int         `json:"peak_per_second_after"`
	InOrder          float64     `json:"in_order"`           // share that arrived in the order of acceptance
	AttemptsPerEvent float64     `json:"attempts_per_event"` // of those posted while it was down, by hookloop_attempts_total
	CPUPercent       float64     `json:"cpu_percent_down"`   // of a core, while it was down
	Deferrals        float64     `json:"deferrals"`
	Duplicates       int         `json:"duplicates"`
	Refused          map[int]int `json:"refused,omitempty"`
	Machine          Machine     `json:"machine"`
}

const (
	outageEvents   = 1000
	outageRate     = 50 // before it goes down
	outageBefore   = 20 * time.Second
	outageRetry    = 5 * time.Second // thirty of them outlast the outage
	outagePatience = 5 * time.Minute
)

// Outage measures an endpoint that is down for a while: connections are refused, or answered 503.
func Outage(ctx context.Context, w World, l Load, down time.Duration, refuse bool) (*OutageResult, error) {
	l.Half = false
	l.Rate = cmp.Or(l.Rate, outageRate)
	l.Retry = cmp.Or(l.Retry, outageRetry)
	l.Events = cmp.Or(l.Events, outageEvents)
	s, err := w.stage(ctx, l, EndpointConfig{})
	if err != nil {
		return nil, err
	}
	defer s.close()
	o := &outage{stage: s, refuse: refuse, result: OutageResult{
		Outage: down.Seconds(), Retry: milliseconds(l.Retry), Patience: outagePatience.Seconds(), Answer: answerOf(refuse),
	}}
	look := lookAt()
	if err := o.play(ctx, down); err != nil {
		return nil, fmt.Errorf("outage: %w", err)
	}
	o.result.Machine = look.until(lookAt())
	_, _ = fmt.Fprintf(w.Progress, "outage: %d of %d delivered, all within %.1f s of its return, at most %d/s (%d/s before)\n",
		o.result.Delivered, o.result.Events, o.result.All, o.result.PeakAfter, o.result.PeakBefore)
	return &o.result, nil
}

func answerOf(refuse bool) string {
	if refuse {
		return "refuse"
	}
	return "503"
}

// outage is one under way.
type outage struct {
	*stage
	refuse bool
	result OutageResult
}

func (o *outage) play(ctx context.Context, down time.Duration) error {
	before := *o.stage
	before.load.Events = 0
	well, err := before.run(ctx, outageBefore)
	if err != nil {
		return err
	}
	o.result.Before, o.result.PeakBefore = well.accepted(), busiest(well.arrivals, time.Time{})
	start, err := o.target.state(ctx)
	if err != nil {
		return err
	}
	o.leave()
	r := &run{begun: time.Now()}
	r.posts = openLoop(ctx, ctx, float64(o.load.Events)/down.Seconds(), down, 0, maxInFlight, o.send)
	wait(ctx, r.begun.Add(down))
	atReturn, err := o.target.state(ctx)
	if err != nil {
		return err
	}
	back := time.Now()
	if err := o.comeBack(ctx); err != nil {
		return err
	}
	o.endpoint.await(ctx, r.ids(), outagePatience)
	end, err := o.target.state(ctx)
	if err != nil {
		return err
	}
	r.arrivals, r.used = r.own(o.endpoint.seen()), end.since(start)
	o.result.CPUPercent = 100 * atReturn.since(start).cpu.Seconds() / back.Sub(r.begun).Seconds()
	o.judge(r, back)
	return r.failure()
}

// leave closes the listeners, with every connection, or answers 503 from now on.
func (o *outage) leave() {
	o.endpoint.forget()
	if o.refuse {
		o.endpoint.close()
		return
	}
	o.endpoint.fail(http.StatusServiceUnavailable)
}

// comeBack listens at the same addresses again.
func (o *outage) comeBack(ctx context.Context) error {
	o.endpoint.fail(0)
	if !o.refuse {
		return nil
	}
	urls := o.endpoint.urls
	o.endpoint.urls = nil
	for _, url := range urls {
		address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")
		if err := o.endpoint.listen(ctx, address); err != nil {
			return err
		}
	}
	return nil
}

func (o *outage) judge(r *run, back time.Time) {
	taken := r.deliveries()
	var after []time.Duration
	for _, at := range taken {
		after = append(after, at.Sub(back))
	}
	slices.Sort(after)
	n := float64(r.accepted())
	o.result.Events, o.result.Delivered = r.accepted(), len(taken)
	if len(after) > 0 {
		o.result.First, o.result.P50, o.result.All = after[0].Seconds(), after[len(after)/2].Seconds(), after[len(after)-1].Seconds()
	}
	o.result.PeakAfter = busiest(r.arrivals, back)
	o.result.InOrder = orderly(r.posts, taken)
	o.result.AttemptsPerEvent, o.result.Deferrals = ratio(r.used.attempts, n), r.used.deferrals
	o.result.Duplicates, o.result.Refused = r.duplicates(), r.refused()
}

package bench

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// FailingResult is what becomes of events for an endpoint that answers 500 to a share of the
// attempts. Times run from when an event was due to be posted until an attempt of it was taken.
type FailingResult struct {
	Share     float64 `json:"failing_share"`
	Offered   float64 `json:"offered_per_second"`
	Retry     float64 `json:"retry_ms"` // between two attempts, by the schedule
	Events    int     `json:"events"`
	Delivered int     `json:"delivered"` // within Patience seconds of the last post
	Patience  float64 `json:"patience_seconds"`
	times
	AttemptsPerEvent float64     `json:"attempts_per_event"`
	CPUPerEvent      float64     `json:"cpu_ms_per_event"`
	Deferrals        float64     `json:"deferrals"`
	Duplicates       int         `json:"duplicates"`
	Refused          map[int]int `json:"refused,omitempty"`
	Machine          Machine     `json:"machine"`
}

const (
	failingEvents   = 1500
	failingRate     = 50
	failingRetry    = time.Second
	failingPatience = 160 * time.Second
)

// Failing measures an endpoint that answers 500 to a share of the attempts.
func Failing(ctx context.Context, w World, l Load, share float64) (*FailingResult, error) {
	l.Half = false
	l.Rate = cmp.Or(l.Rate, failingRate)
	l.Retry = cmp.Or(l.Retry, failingRetry)
	if l.Events == 0 && l.Duration == 0 {
		l.Events = failingEvents
	}
	t, err := w.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if err := warmUp(ctx, t, l); err != nil {
		return nil, err
	}
	s, err := newStage(ctx, t, l, EndpointConfig{Failing: share, Seed: l.Seed})
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.patience = failingPatience
	before := lookAt()
	r, err := s.run(ctx, l.span(l.Rate, 0))
	if err != nil {
		return nil, err
	}
	took, missing := r.took(r.deliveries())
	out := &FailingResult{
		Share: share, Offered: l.Rate, Retry: milliseconds(l.Retry), Events: r.accepted(), Delivered: r.accepted() - missing,
		Patience: failingPatience.Seconds(), times: summary(took), AttemptsPerEvent: ratio(float64(len(r.arrivals)), float64(r.accepted())),
		CPUPerEvent: r.cpuPerEvent(), Deferrals: r.used.deferrals, Duplicates: r.duplicates(), Refused: r.refused(), Machine: before.until(lookAt()),
	}
	_, _ = fmt.Fprintf(w.Progress, "failing %g: %d of %d delivered, p50 %.0f ms, p99 %.0f ms, %.2f attempts per event\n",
		share, out.Delivered, out.Events, out.P50, out.P99, out.AttemptsPerEvent)
	return out, nil
}

// warmUp offers a load to an endpoint that takes everything, unmeasured.
func warmUp(ctx context.Context, t *Target, l Load) error {
	l.Events = 0
	s, err := newStage(ctx, t, l, EndpointConfig{})
	if err != nil {
		return err
	}
	defer s.close()
	_, err = s.run(ctx, latencyWarm)
	return err
}

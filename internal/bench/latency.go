package bench

import (
	"context"
	"fmt"
	"time"
)

// LatencyRow is what Hookloop does with an endpoint that answers after so long. Times run from when
// an event was due to be posted until its request reached the endpoint.
type LatencyRow struct {
	Latency   float64 `json:"latency_ms"`
	Offered   float64 `json:"offered_per_second"` // 0: a closed loop
	Accepted  float64 `json:"accepted_per_second"`
	Delivered float64 `json:"delivered_per_second"`
	Events    int     `json:"events"`
	times
	CPUPerEvent float64     `json:"cpu_ms_per_event"` // of Hookloop's processes
	Deferrals   float64     `json:"deferrals"`        // hookloop_deferrals_total
	Deliveries  int         `json:"delivery_workflows"`
	Missing     int         `json:"missing"`
	Duplicates  int         `json:"duplicates"`
	Refused     map[int]int `json:"refused,omitempty"` // by status
	RatioP50    float64     `json:"ratio_p50"`         // of the row without latency in the same run
	RatioP99    float64     `json:"ratio_p99"`
	RatioCPU    float64     `json:"ratio_cpu"`
	Machine     Machine     `json:"machine"`
}

// LatencyResult is a row for each latency, the first without any.
type LatencyResult struct {
	Peak      float64      `json:"peak_per_second,omitempty"` // delivered, at an endpoint that answers at once
	Endpoints int          `json:"endpoints"`
	Rows      []LatencyRow `json:"rows"`
}

// How long one latency is measured. What comes before is not: the worker learns what the endpoint
// takes.
const (
	latencyWindow = 20 * time.Second
	latencyWarm   = 5 * time.Second
	latencyWarms  = 5 // times the latency, if that is longer
)

// Latency measures each latency in a target of its own, after none at all.
func Latency(ctx context.Context, w World, l Load, latencies []time.Duration) (*LatencyResult, error) {
	r := &LatencyResult{Endpoints: max(l.Endpoints, 1)}
	if l.Half {
		_, peak, err := Peak(ctx, w, l)
		if err != nil {
			return nil, err
		}
		r.Peak, l.Rate = peak, peak/2
	}
	for _, latency := range append([]time.Duration{0}, latencies...) {
		if latency == 0 && len(r.Rows) > 0 {
			continue
		}
		row, err := latencyRow(ctx, w, l, latency)
		if err != nil {
			return nil, fmt.Errorf("latency %s: %w", latency, err)
		}
		if r.Rows = append(r.Rows, *row); len(r.Rows) > 1 {
			r.Rows[len(r.Rows)-1].compare(r.Rows[0])
		}
		_, _ = fmt.Fprintf(w.Progress, "latency %s: %.1f/s, p50 %.1f ms, p99 %.1f ms, CPU %.2f ms, %.0f deferred, %d workflows, %d missing\n",
			latency, row.Delivered, row.P50, row.P99, row.CPUPerEvent, row.Deferrals, row.Deliveries, row.Missing)
	}
	return r, nil
}

func latencyRow(ctx context.Context, w World, l Load, latency time.Duration) (*LatencyRow, error) {
	s, err := w.stage(ctx, l, EndpointConfig{Latency: latency})
	if err != nil {
		return nil, err
	}
	defer s.close()
	warm := *s
	warm.load.Events = 0
	if _, err := warm.run(ctx, max(latencyWarm, latencyWarms*latency)); err != nil {
		return nil, err
	}
	before := lookAt()
	r, err := s.run(ctx, l.span(l.Rate, latencyWindow))
	if err != nil {
		return nil, err
	}
	took, missing := r.took(r.firsts())
	return &LatencyRow{
		Latency: milliseconds(latency), Offered: l.Rate, Accepted: r.acceptedPerSecond(), Delivered: r.deliveredPerSecond(),
		Events: r.accepted(), times: summary(took), CPUPerEvent: r.cpuPerEvent(), Deferrals: r.used.deferrals,
		Deliveries: r.used.deliveries, Missing: missing, Duplicates: r.duplicates(), Refused: r.refused(), Machine: before.until(lookAt()),
	}, nil
}

func (r *LatencyRow) compare(none LatencyRow) {
	r.RatioP50, r.RatioP99 = ratio(r.P50, none.P50), ratio(r.P99, none.P99)
	r.RatioCPU = ratio(r.CPUPerEvent, none.CPUPerEvent)
}

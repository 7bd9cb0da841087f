package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Counts say how many approvals wait for a person, and how many deliveries go on, by their status;
// orchestrator.Counts does.
type Counts interface {
	Waiting(ctx context.Context) (approvals int, deliveries map[string]int, err error)
	// OldestApproval is since when the approval that has waited longest runs; zero: none waits.
	OldestApproval(ctx context.Context) (time.Time, error)
}

const (
	countEvery   = 30 * time.Second // however often the metrics are read
	countTimeout = 3 * time.Second  // of all questions together: a scrape has ten seconds
)

// Watch shows what waits in Temporal, counted when the metrics are read. Every process of a
// namespace counts the same.
func (t *Telemetry) Watch(c Counts, log *slog.Logger) error {
	return t.metrics.Register(newWaiting(c, log))
}

// What is counted.
var (
	approvalsWaiting = prometheus.NewDesc("hookloop_approvals_waiting", "Endpoints that keep failing and wait for a person's decision.", nil, nil)
	approvalsOldest  = prometheus.NewDesc("hookloop_approvals_oldest_seconds",
		"How long the endpoint has been failing that has failed longest of those that wait for a person's decision; 0: none waits.", nil, nil)
	deliveriesWaiting = prometheus.NewDesc("hookloop_deliveries_waiting",
		"Deliveries that were not made at the first attempt and go on: pending, retrying, held, or awaiting-approval because their event may go in circles.",
		[]string{"status"}, nil)
)

// waiting is a prometheus.Collector. It says nothing while Temporal does not answer: a number of
// before would look like one of now.
type waiting struct {
	counts Counts
	log    *slog.Logger
	now    func() time.Time

	mu    sync.Mutex
	asked time.Time
	known []prometheus.Metric
}

func newWaiting(c Counts, log *slog.Logger) *waiting {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &waiting{counts: c, log: log, now: time.Now}
}

// Describe is a prometheus.Collector's.
func (w *waiting) Describe(to chan<- *prometheus.Desc) {
	to <- approvalsWaiting
	to <- approvalsOldest
	to <- deliveriesWaiting
}

// Collect is a prometheus.Collector's.
func (w *waiting) Collect(to chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); now.Sub(w.asked) >= countEvery {
		w.known = w.ask()
		w.asked = now
	}
	for _, m := range w.known {
		to <- m
	}
}

func (w *waiting) ask() []prometheus.Metric {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	approvals, deliveries, err := w.counts.Waiting(ctx)
	var since time.Time
	if err == nil && approvals > 0 {
		since, err = w.counts.OldestApproval(ctx)
	}
	if err != nil {
		w.log.Warn("counting what waits", slog.String("reason", err.Error()))
		return nil
	}
	var oldest time.Duration
	if !since.IsZero() {
		oldest = max(0, w.now().Sub(since))
	}
	known := []prometheus.Metric{
		prometheus.MustNewConstMetric(approvalsWaiting, prometheus.GaugeValue, float64(approvals)),
		prometheus.MustNewConstMetric(approvalsOldest, prometheus.GaugeValue, oldest.Seconds()),
	}
	for status, n := range deliveries {
		known = append(known, prometheus.MustNewConstMetric(deliveriesWaiting, prometheus.GaugeValue, float64(n), status))
	}
	return known
}

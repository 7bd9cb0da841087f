package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/workflowservice/v1"
)

// Counter counts workflows; client.Client is one.
type Counter interface {
	CountWorkflow(ctx context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error)
}

const (
	countEvery   = 30 * time.Second // however often, and by whomever, the metrics are read
	countTimeout = 3 * time.Second  // of all questions together: a scrape has ten seconds
)

// Watch shows what waits in Temporal, counted when somebody reads the metrics. Every process of a
// namespace counts the same.
func (t *Telemetry) Watch(c Counter, log *slog.Logger) error {
	return t.metrics.Register(newWaiting(c, log))
}

// question is one count. Its strings are those of package workflows, which pins them.
type question struct {
	desc  *prometheus.Desc
	label []string
	query string
}

func questions() []question {
	approvals := prometheus.NewDesc("hookloop_approvals_waiting", "Endpoints that keep failing and wait for a person's decision.", nil, nil)
	deliveries := prometheus.NewDesc("hookloop_deliveries_waiting",
		"Deliveries that were not made at the first attempt and go on: pending, retrying, held, or awaiting-approval because their event may go in circles.",
		[]string{"status"}, nil)
	all := []question{{approvals, nil, `WorkflowType = "Approval" AND Outcome = "awaiting-approval" AND ExecutionStatus = "Running"`}}
	for _, status := range []string{"pending", "retrying", "held", "awaiting-approval"} {
		all = append(all, question{deliveries, []string{status}, `WorkflowType = "Delivery" AND Outcome = "` + status + `" AND ExecutionStatus = "Running"`})
	}
	return all
}

// waiting is a prometheus.Collector. It says nothing while Temporal does not answer: a number of before
// would look like one of now.
type waiting struct {
	counter   Counter
	log       *slog.Logger
	now       func() time.Time
	questions []question

	mu    sync.Mutex
	asked time.Time
	known []prometheus.Metric
}

func newWaiting(c Counter, log *slog.Logger) *waiting {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &waiting{counter: c, log: log, now: time.Now, questions: questions()}
}

// Describe is a prometheus.Collector's.
func (w *waiting) Describe(to chan<- *prometheus.Desc) {
	for _, q := range w.questions {
		to <- q.desc
	}
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
	var known []prometheus.Metric
	for _, q := range w.questions {
		n, err := w.counter.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: q.query})
		if err != nil {
			w.log.Warn("counting what waits", slog.String("reason", err.Error()))
			return nil
		}
		known = append(known, prometheus.MustNewConstMetric(q.desc, prometheus.GaugeValue, float64(n.GetCount()), q.label...))
	}
	return known
}

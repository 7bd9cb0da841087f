package sender

import (
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	attempts  *prometheus.CounterVec
	duration  prometheus.Histogram
	deferrals *prometheus.CounterVec
}

// newMetrics makes the collectors and, with a registerer, shows them. Labels come from closed sets:
// neither tenants nor endpoints can multiply the series.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_attempts_total",
			Help: "Attempts by class of status, or by the kind of failure when there was no answer.",
		}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "hookloop_attempt_duration_seconds",
			Help:    "Time from dialling to the end of the answer.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30},
		}),
		deferrals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_deferrals_total",
			Help: "Turns that passed without an attempt, by reason.",
		}, []string{"reason"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.attempts, m.duration, m.deferrals} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

package admission

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// measure makes the collectors and, with a registerer, shows them.
func (g *Gate) measure(r prometheus.Registerer) error {
	g.outcomes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_admissions_total",
		Help: "Acceptances and redeliveries that asked for a place, by what became of them.",
	}, []string{"outcome"})
	for _, o := range []string{admitted, waited, refused, timedOut, left} {
		g.outcomes.WithLabelValues(o)
	}
	if r == nil {
		return nil
	}
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	for _, c := range []prometheus.Collector{
		g.outcomes,
		gauge("hookloop_admission_limit", "How many acceptances may be under way at once.", g.places),
		gauge("hookloop_admission_in_flight", "Acceptances under way.", g.limiter.Inflight),
		gauge("hookloop_admission_waiting", "Acceptances that wait for a place.", g.waiting),
	} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("admission: metrics: %w", err)
		}
	}
	return nil
}

func (g *Gate) places() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit()
}

func (g *Gate) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lines.waiting
}

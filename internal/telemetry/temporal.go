package telemetry

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// temporalMetrics shows what the SDK tells of itself. There is a handler of Temporal's own for
// tally; ours is a page long, and keeps labels few.
type temporalMetrics struct {
	families map[string]*series
}

// series are the series of one family.
type series struct {
	family

	counters *prometheus.CounterVec
	gauges   *prometheus.GaugeVec
	timers   *prometheus.HistogramVec
}

func newTemporalMetrics() *temporalMetrics {
	names := make([]string, tagCount)
	for name, i := range tags {
		names[i] = name
	}
	m := &temporalMetrics{families: map[string]*series{}}
	all := own()
	for _, f := range families() {
		f.name = prefix + f.name // as Temporal's own dashboards have it: counters end in _total, timers in _seconds
		all = append(all, f)
	}
	for _, f := range all {
		labels := make([]string, len(f.labels))
		for i, l := range f.labels {
			labels[i] = names[l]
		}
		s := &series{family: f}
		name := f.name
		switch f.kind {
		case counter:
			s.counters = prometheus.NewCounterVec(prometheus.CounterOpts{Name: strings.TrimSuffix(name, "_total") + "_total", Help: f.help}, labels)
			for _, first := range f.values {
				s.counters.WithLabelValues(first)
			}
		case gauge:
			s.gauges = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: f.help}, labels)
		case timer:
			buckets := shortBuckets
			if f.long {
				buckets = longBuckets
			}
			s.timers = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name + "_seconds", Help: f.help, Buckets: buckets}, labels)
		}
		m.families[name] = s
	}
	return m
}

func (s *series) collector() prometheus.Collector {
	switch s.kind {
	case gauge:
		return s.gauges
	case timer:
		return s.timers
	case counter:
	}
	return s.counters
}

// Describe is a prometheus.Collector's.
func (m *temporalMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, s := range m.families {
		s.collector().Describe(to)
	}
}

// Collect is a prometheus.Collector's.
func (m *temporalMetrics) Collect(to chan<- prometheus.Metric) {
	for _, s := range m.families {
		s.collector().Collect(to)
	}
}

func (m *temporalMetrics) handler() client.MetricsHandler { return &handler{metrics: m} }

// handler is a client.MetricsHandler with the tags given so far.
type handler struct {
	metrics *temporalMetrics
	tags    [tagCount]string
}

// WithTags is a client.MetricsHandler's.
func (h *handler) WithTags(more map[string]string) client.MetricsHandler {
	with := *h
	for name, value := range more {
		if i, known := tags[name]; known {
			with.tags[i] = value
		}
	}
	return &with
}

func (h *handler) values(s *series) []string {
	v := make([]string, len(s.labels))
	for i, l := range s.labels {
		v[i] = h.tags[l]
	}
	return v
}

// Counter is a client.MetricsHandler's; so are Gauge and Timer.
func (h *handler) Counter(name string) client.MetricsCounter {
	s := h.metrics.families[name]
	if s == nil || s.kind != counter {
		return ignored{}
	}
	return count{s.counters.WithLabelValues(h.values(s)...)}
}

// Gauge is a client.MetricsHandler's.
func (h *handler) Gauge(name string) client.MetricsGauge {
	s := h.metrics.families[name]
	if s == nil || s.kind != gauge {
		return ignored{}
	}
	return level{s.gauges.WithLabelValues(h.values(s)...)}
}

// Timer is a client.MetricsHandler's.
func (h *handler) Timer(name string) client.MetricsTimer {
	s := h.metrics.families[name]
	if s == nil || s.kind != timer {
		return ignored{}
	}
	return times{s.timers.WithLabelValues(h.values(s)...)}
}

type (
	count   struct{ prometheus.Counter }
	level   struct{ prometheus.Gauge }
	times   struct{ prometheus.Observer }
	ignored struct{}
)

// Inc is a client.MetricsCounter's.
func (c count) Inc(n int64) { c.Add(float64(n)) }

// Update is a client.MetricsGauge's.
func (l level) Update(v float64) { l.Set(v) }

// Record is a client.MetricsTimer's.
func (t times) Record(d time.Duration) { t.Observe(d.Seconds()) }

func (ignored) Inc(int64)            {}
func (ignored) Update(float64)       {}
func (ignored) Record(time.Duration) {}

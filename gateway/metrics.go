package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are labelled by route, never by tenant or id: their number is fixed.
type metrics struct {
	accepted  prometheus.Counter
	unmatched prometheus.Counter
	ingested  *prometheus.CounterVec
	items     *prometheus.CounterVec
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	handler   http.Handler
}

func newMetrics(r *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookloop_events_accepted_total", Help: "Events Temporal has taken; repeats of an Idempotency-Key are not counted.",
		}),
		unmatched: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookloop_events_unmatched_total", Help: "Of the accepted events, those that no endpoint wants.",
		}),
		ingested: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_ingest_requests_total", Help: "Requests of third parties, by what became of them.",
		}, []string{"provider", "outcome"}),
		items: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_ingest_events_total", Help: "Events in requests of third parties: accepted, accepted before, or an echo of our own.",
		}, []string{"provider", "outcome"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_http_requests_total", Help: "Requests the gateway answered.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookloop_http_request_duration_seconds", Help: "From the request's head to the end of the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method"}),
		handler: promhttp.HandlerFor(r, promhttp.HandlerOpts{}),
	}
	for _, c := range []prometheus.Collector{m.accepted, m.unmatched, m.ingested, m.items, m.requests, m.duration} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("gateway: metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) request(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route, method).Observe(took.Seconds())
}

// routeLabel names a route; all that match none share one, or a scanner would fill the registry.
func routeLabel(template string) string {
	if template == "" {
		return "none"
	}
	return template
}

// methodLabel passes on the methods of HTTP and nothing else a client may have made up.
func methodLabel(method string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if slices.Contains(known, method) {
		return method
	}
	return "OTHER"
}

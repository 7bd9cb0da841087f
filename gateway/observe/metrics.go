package observe

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Counters count what the gateway decides. All metrics are labelled by route, never by tenant or
// id: their number is fixed.
type Counters struct {
	Accepted  prometheus.Counter
	Unmatched prometheus.Counter
	Ingested  *prometheus.CounterVec
	Items     *prometheus.CounterVec
}

// New makes the metrics; it is an error if the registry has some of that name.
func New(c Config) (*Observer, error) {
	o := &Observer{
		Counters: Counters{
			Accepted: prometheus.NewCounter(prometheus.CounterOpts{
				Name: "hookloop_events_accepted_total", Help: "Events Temporal has taken; repeats of an Idempotency-Key are not counted.",
			}),
			Unmatched: prometheus.NewCounter(prometheus.CounterOpts{
				Name: "hookloop_events_unmatched_total", Help: "Of the accepted events, those that no endpoint wants.",
			}),
			Ingested: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "hookloop_ingest_requests_total", Help: "Requests of third parties, by what became of them.",
			}, []string{"provider", "outcome"}),
			Items: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "hookloop_ingest_events_total", Help: "Events in requests of third parties: accepted, accepted before, or an echo of our own.",
			}, []string{"provider", "outcome"}),
		},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_http_requests_total", Help: "Requests the gateway answered.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookloop_http_request_duration_seconds", Help: "From the request's head to the end of the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method"}),
		metrics: promhttp.HandlerFor(c.Metrics, promhttp.HandlerOpts{}),
		tracer:  c.Tracer,
		log:     c.Logger,
	}
	for _, m := range []prometheus.Collector{o.Accepted, o.Unmatched, o.Ingested, o.Items, o.requests, o.duration} {
		if err := c.Metrics.Register(m); err != nil {
			return nil, fmt.Errorf("gateway: metrics: %w", err)
		}
	}
	return o, nil
}

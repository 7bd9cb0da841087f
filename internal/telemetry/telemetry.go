// Package telemetry is how a running Hookloop is watched from outside: the registry of its metrics,
// with those of Temporal's SDK and of what waits in Temporal, and the exporter of its traces. What
// is counted and which spans there are is decided where things happen; cmd makes one Telemetry and
// hands out its parts.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"
)

// closeTimeout bounds the last export: what cannot be told within it is lost, and the process ends.
const closeTimeout = 5 * time.Second

// Config says what is told and to whom.
type Config struct {
	Env      func(name string) string // looks OTEL_* up; nil: none is set, and nothing is traced
	Service  string                   // empty: "hookloop"; OTEL_SERVICE_NAME overrides it
	Version  string                   // empty: "dev"
	Logger   *slog.Logger             // told of spans that could not be exported; nil: silent
	Exporter sdktrace.SpanExporter    // takes the spans, in spite of OTEL_*; nil: OTLP
}

// Telemetry holds what the parts of a process tell about themselves.
type Telemetry struct {
	metrics  *prometheus.Registry
	temporal *temporalMetrics
	provider *sdktrace.TracerProvider // nil: nothing is traced
}

// New checks OTEL_* whole and prepares everything; a collector out of reach is no error.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	if c.Env == nil {
		c.Env = func(string) string { return "" }
	}
	c.Service = cmp.Or(c.Service, "hookloop")
	c.Version = cmp.Or(c.Version, "dev")
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	spans, build := newSpansCounter(), newBuildInfo(c.Version)
	t := &Telemetry{metrics: prometheus.NewRegistry(), temporal: newTemporalMetrics()}
	t.metrics.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, spans, t.temporal,
	)
	var err error
	t.provider, err = newProvider(ctx, c, spans)
	return t, err
}

// Metrics is where every part of the process registers its own; the gateway serves it.
func (t *Telemetry) Metrics() *prometheus.Registry { return t.metrics }

// Temporal is for client.Options: it counts what the SDK tells of its requests and workers.
func (t *Telemetry) Temporal() client.MetricsHandler { return t.temporal.handler() }

// Tracer makes the spans of a part; nil if nothing is traced, so that a part can pass over it for
// free.
func (t *Telemetry) Tracer(part string) trace.Tracer {
	if t.provider == nil {
		return nil
	}
	return t.provider.Tracer("hookloop/" + part)
}

// Close exports the spans that have ended, for at most five seconds.
func (t *Telemetry) Close() error {
	if t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return errors.New("telemetry: the last spans could not be exported in time")
}

func newBuildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hookloop_build_info", Help: "Always 1, of the version that runs.",
		ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
}

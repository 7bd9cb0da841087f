package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// newProvider makes spans and exports them in batches, or is nil. The exporters and the batches
// read the rest of OTEL_* themselves: headers, certificates, time-outs, sizes.
func newProvider(ctx context.Context, c Config, spans *prometheus.CounterVec) (*sdktrace.TracerProvider, error) {
	s, err := readSettings(c.Env)
	if err != nil || s.off || s.endpoint == "" && c.Exporter == nil {
		return nil, err
	}
	exporter := c.Exporter
	if exporter == nil {
		if exporter, err = newExporter(ctx, s.protocol); err != nil {
			return nil, fmt.Errorf("telemetry: %w", err)
		}
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", c.Service), attribute.String("service.version", c.Version)),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithSampler(s.sampler),
		sdktrace.WithBatcher(&watched{SpanExporter: exporter, spans: spans, log: c.Logger})), nil
}

func newExporter(ctx context.Context, protocol string) (sdktrace.SpanExporter, error) {
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

// settings are the variables of OpenTelemetry that we must understand ourselves.
type settings struct {
	off      bool
	endpoint string
	protocol string
	sampler  sdktrace.Sampler
}

// readSettings names every problem, one a line: OpenTelemetry's own packages log and go on without.
func readSettings(env func(string) string) (settings, error) {
	s := settings{endpoint: env("OTEL_EXPORTER_OTLP_ENDPOINT"), protocol: env("OTEL_EXPORTER_OTLP_PROTOCOL")}
	s.off = strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") || env("OTEL_TRACES_EXPORTER") == "none"
	if own := env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); own != "" {
		s.endpoint = own
	}
	if own := env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"); own != "" {
		s.protocol = own
	}
	var problems []error
	if u, err := url.Parse(s.endpoint); s.endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		problems = append(problems, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL like http://127.0.0.1:4318"))
	}
	switch s.protocol {
	case "", "http/protobuf", "grpc":
	default:
		problems = append(problems, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or grpc"))
	}
	if e := env("OTEL_TRACES_EXPORTER"); e != "" && e != "otlp" && e != "none" {
		problems = append(problems, errors.New("OTEL_TRACES_EXPORTER must be otlp or none"))
	}
	var err error
	s.sampler, err = sampler(env("OTEL_TRACES_SAMPLER"), env("OTEL_TRACES_SAMPLER_ARG"))
	return s, errors.Join(append(problems, err)...)
}

// sampler decides which traces are recorded; parentbased ones leave it to the app that is in one.
func sampler(name, arg string) (sdktrace.Sampler, error) {
	name = cmp.Or(name, "parentbased_always_on")
	share := 1.0
	kind, parentBased := strings.CutPrefix(name, "parentbased_")
	if kind == "traceidratio" && arg != "" {
		var err error
		if share, err = strconv.ParseFloat(arg, 64); err != nil || !(share >= 0 && share <= 1) {
			return nil, errors.New("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1")
		}
	}
	root, known := map[string]sdktrace.Sampler{
		"always_on": sdktrace.AlwaysSample(), "always_off": sdktrace.NeverSample(), "traceidratio": sdktrace.TraceIDRatioBased(share),
	}[kind]
	if !known {
		return nil, errors.New("OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, or one of them after parentbased_")
	}
	if parentBased {
		root = sdktrace.ParentBased(root)
	}
	return root, nil
}

// quiet is how long nothing more is said of spans that are lost: a collector away for a day is one
// line a minute.
const quiet = time.Minute

// watched counts what becomes of the spans, and says when some are lost; OpenTelemetry would tell a
// handler that is global.
type watched struct {
	sdktrace.SpanExporter

	spans *prometheus.CounterVec
	log   *slog.Logger

	mu   sync.Mutex
	said time.Time
}

func newSpansCounter() *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_spans_total", Help: "Spans by what became of them: exported, or failed to be.",
	}, []string{"outcome"})
	c.WithLabelValues("exported")
	c.WithLabelValues("failed")
	return c
}

// ExportSpans never fails: its caller could do no more about it.
func (w *watched) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := w.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		w.spans.WithLabelValues("exported").Add(float64(len(spans)))
		return nil
	}
	w.spans.WithLabelValues("failed").Add(float64(len(spans)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.said) >= quiet {
		w.said = now
		w.log.WarnContext(ctx, "spans lost", slog.Int("spans", len(spans)), slog.String("reason", err.Error()))
	}
	return nil
}

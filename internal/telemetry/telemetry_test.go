package telemetry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/telemetry"
)

func env(set ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(set); i += 2 {
			if set[i] == name {
				return set[i+1]
			}
		}
		return ""
	}
}

const collector = "OTEL_EXPORTER_OTLP_ENDPOINT"

func TestNothingIsTracedUnlessAsked(t *testing.T) {
	t.Parallel()
	for _, set := range [][]string{
		nil,
		{"OTEL_TRACES_SAMPLER", "always_on"},
		{collector, "http://127.0.0.1:4318", "OTEL_SDK_DISABLED", "true"},
		{collector, "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER", "none"},
	} {
		told, err := telemetry.New(t.Context(), telemetry.Config{Env: env(set...)})
		require.NoError(t, err)
		require.Nil(t, told.Tracer("sender"), set)
		require.NoError(t, told.Close())
	}
	told, err := telemetry.New(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	require.Nil(t, told.Tracer("sender"))
}

func TestTracedWhenAsked(t *testing.T) {
	t.Parallel()
	for _, set := range [][]string{
		{collector, "http://127.0.0.1:1"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector.example.com/v1/traces"},
		{collector, "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
	} {
		told, err := telemetry.New(t.Context(), telemetry.Config{Env: env(set...)})
		require.NoError(t, err)
		require.NotNil(t, told.Tracer("sender"), set)
		require.NoError(t, told.Close(), "there was nothing to export")
	}
}

func TestSettingsAreCheckedWhole(t *testing.T) {
	t.Parallel()
	_, err := telemetry.New(t.Context(), telemetry.Config{Env: env(
		collector, "127.0.0.1:4318", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_TRACES_EXPORTER", "jaeger",
		"OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG", "1.5")})
	require.EqualError(t, err, strings.Join([]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT must be a URL like http://127.0.0.1:4318",
		"OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or grpc",
		"OTEL_TRACES_EXPORTER must be otlp or none",
		"OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1",
	}, "\n"))
	_, err = telemetry.New(t.Context(), telemetry.Config{Env: env("OTEL_TRACES_SAMPLER", "sometimes")})
	require.EqualError(t, err, "OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, or one of them after parentbased_")
}

func TestSamplers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{
		"": 100, "always_on": 100, "parentbased_always_on": 100, "always_off": 0, "parentbased_always_off": 0,
		"traceidratio": 100, "parentbased_traceidratio 0": 0, "traceidratio 0.0": 0, "parentbased_traceidratio 1": 100,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sampler, arg, _ := strings.Cut(name, " ")
			exported := tracetest.NewInMemoryExporter()
			told, err := telemetry.New(t.Context(), telemetry.Config{
				Env: env("OTEL_TRACES_SAMPLER", sampler, "OTEL_TRACES_SAMPLER_ARG", arg), Exporter: keeping{exported},
			})
			require.NoError(t, err)
			spans(t, told, 100)
			require.NoError(t, told.Close())
			require.Len(t, exported.GetSpans(), want)
		})
	}
}

// keeping keeps what it was given beyond its shutdown.
type keeping struct{ *tracetest.InMemoryExporter }

func (keeping) Shutdown(context.Context) error { return nil }

func spans(t *testing.T, told *telemetry.Telemetry, n int) {
	t.Helper()
	for range n {
		_, span := told.Tracer("test").Start(t.Context(), "span")
		span.End()
	}
}

// TestExport is the one test that reads the process's environment, as the exporters do.
func TestExport(t *testing.T) {
	var mu sync.Mutex
	var got []*tracepb.ExportTraceServiceRequest
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request tracepb.ExportTraceServiceRequest
		if r.URL.Path != "/v1/traces" || r.Header.Get("X-Key") != "k" || proto.Unmarshal(body, &request) != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, &request)
	}))
	t.Cleanup(srv.Close)
	t.Setenv(collector, srv.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=hooks")

	told, err := telemetry.New(t.Context(), telemetry.Config{Env: os.Getenv, Version: "1.2.3"})
	require.NoError(t, err)
	spans(t, told, 3)
	require.NoError(t, told.Close())
	require.Len(t, got, 1)
	about := map[string]string{}
	for _, a := range got[0].GetResourceSpans()[0].GetResource().GetAttributes() {
		about[a.GetKey()] = a.GetValue().GetStringValue()
	}
	require.Equal(t, "hooks", about["service.name"])
	require.Equal(t, "1.2.3", about["service.version"])
	require.Equal(t, "test", about["deployment.environment.name"])
	scope := got[0].GetResourceSpans()[0].GetScopeSpans()[0]
	require.Equal(t, "hookloop/test", scope.GetScope().GetName())
	require.Len(t, scope.GetSpans(), 3)
	require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(`
# HELP hookloop_spans_total Spans by what became of them: exported, or failed to be.
# TYPE hookloop_spans_total counter
hookloop_spans_total{outcome="exported"} 3
hookloop_spans_total{outcome="failed"} 0
`), "hookloop_spans_total"))
}

// exporter is one with a mind of its own.
type exporter struct {
	export func(context.Context) error
}

func (e exporter) ExportSpans(ctx context.Context, _ []sdktrace.ReadOnlySpan) error {
	return e.export(ctx)
}

func (exporter) Shutdown(context.Context) error { return nil }

// TestCloseIsBounded: a collector that takes a connection and never answers does not keep a process
// alive.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, err := telemetry.New(t.Context(), telemetry.Config{Exporter: exporter{func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}})
		require.NoError(t, err)
		spans(t, told, 10_000) // more than are kept
		start := time.Now()
		require.EqualError(t, told.Close(), "telemetry: the last spans could not be exported in time")
		require.Equal(t, 5*time.Second, time.Since(start))
		time.Sleep(time.Hour) // the batches left over end by themselves
	})
}

// TestLostSpansAreTold once a minute, and counted.
func TestLostSpansAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		told, err := telemetry.New(t.Context(), telemetry.Config{
			Logger:   slog.New(slog.NewTextHandler(&log, nil)),
			Exporter: exporter{func(context.Context) error { return errors.New("no collector") }},
		})
		require.NoError(t, err)
		for range 9 {
			spans(t, told, 2)
			time.Sleep(10 * time.Second)
		}
		require.NoError(t, told.Close())
		require.Equal(t, 2, strings.Count(log.String(), `msg="spans lost" spans=2 reason="no collector"`), log.String())
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(`
# HELP hookloop_spans_total Spans by what became of them: exported, or failed to be.
# TYPE hookloop_spans_total counter
hookloop_spans_total{outcome="exported"} 0
hookloop_spans_total{outcome="failed"} 18
`), "hookloop_spans_total"))
	})
}

func TestMetricsLint(t *testing.T) {
	t.Parallel()
	told, err := telemetry.New(t.Context(), telemetry.Config{Version: "1.2.3"})
	require.NoError(t, err)
	require.NoError(t, told.Watch(&counts{}, nil))
	everyFamily(told)
	problems, err := testutil.GatherAndLint(told.Metrics())
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Equal(t, 1, testutil.CollectAndCount(told.Metrics(), "hookloop_build_info"))
	require.Error(t, told.Watch(&counts{}, nil), "twice")
}

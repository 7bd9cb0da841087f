package sender_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

const (
	appTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	accepted = "00f067aa0ba902b7" // the span of the event's acceptance
)

func newTracer(sampler sdktrace.Sampler) (trace.Tracer, *tracetest.InMemoryExporter) {
	exported := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exported), sdktrace.WithSampler(sampler))
	return provider.Tracer("test"), exported
}

func tracedDelivery(url string) webhook.Delivery {
	d := delivery(url)
	d.Event.Trace = "00-" + appTrace + "-" + accepted + "-01"
	d.Event.TraceState = "vendor=1,other=2"
	return d
}

// traceOf is the trace an endpoint finds itself in.
func traceOf(h http.Header) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(h))
	return trace.SpanContextFromContext(ctx)
}

// TestTraceReachesTheEndpoint: the trace is the app's, the parent is the attempt, each attempt is a
// span of its own, and all of them follow from the acceptance.
func TestTraceReachesTheEndpoint(t *testing.T) {
	t.Parallel()
	tracer, exported := newTracer(sdktrace.ParentBased(sdktrace.AlwaysSample()))
	s := newSender(t, sender.Config{Tracer: tracer})
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503 200"})
	d := tracedDelivery(strings.Replace(srv.URL, "//", "//user:tok-secret@", 1) + "/tok-secret?key=tok-secret")
	d.Content.Data = []byte(`"tok-secret"`)
	d.Endpoint.Headers = map[string]string{"Traceparent": "00-" + strings.Repeat("1", 32) + "-" + accepted + "-01", "tracestate": "mine=1", "X-Key": "tok-secret"}
	for n := range 2 {
		_, err := s.Send(t.Context(), d, n+1)
		require.NoError(t, err)
	}

	spans, receipts := exported.GetSpans(), srv.MustWait(t, 2)
	require.Len(t, spans, 2)
	require.NotEqual(t, spans[0].SpanContext.SpanID(), spans[1].SpanContext.SpanID())
	require.NotContains(t, fmt.Sprintf("%+v", spans), "tok-secret")
	for n, span := range spans {
		require.Equal(t, "attempt", span.Name)
		require.Equal(t, trace.SpanKindClient, span.SpanKind)
		require.Equal(t, accepted, span.Parent.SpanID().String())
		require.True(t, span.Parent.IsRemote())

		require.Len(t, receipts[n].Header.Values("Traceparent"), 1)
		got := traceOf(receipts[n].Header)
		require.True(t, got.IsValid())
		require.True(t, got.IsSampled())
		require.Equal(t, appTrace, got.TraceID().String())
		require.Equal(t, span.SpanContext.SpanID(), got.SpanID())
		require.Equal(t, []string{"vendor=1,other=2"}, receipts[n].Header.Values("Tracestate"))

		said := []attribute.KeyValue{
			attribute.String("hookloop.tenant", "acme"), attribute.String("hookloop.event", "evt_1"),
			attribute.String("hookloop.endpoint", "ep_1"), attribute.Int("hookloop.attempt", n+1),
			attribute.String("http.request.method", "POST"), attribute.String("server.address", "127.0.0.1"),
			attribute.Int("http.response.status_code", receipts[n].Status),
		}
		if n == 0 {
			said = append(said, attribute.String("error.type", "503"))
			require.Equal(t, sdktrace.Status{Code: codes.Error}, span.Status)
		}
		require.ElementsMatch(t, said, span.Attributes)
	}
}

// TestTraceIsAbsent where the event has no trace, or we trace nothing.
func TestTraceIsAbsent(t *testing.T) {
	t.Parallel()
	tracer, exported := newTracer(sdktrace.AlwaysSample())
	srv := endpointtest.Start(t, endpointtest.Config{})
	untraced := delivery(srv.URL)
	garbled := tracedDelivery(srv.URL)
	garbled.Event.Trace = "00-nonsense"
	for _, d := range []webhook.Delivery{untraced, tracedDelivery(srv.URL)} {
		d.Endpoint.Headers = map[string]string{"traceparent": "00-" + appTrace + "-" + accepted + "-01"}
		s := newSender(t, sender.Config{Tracer: map[bool]trace.Tracer{true: tracer}[d.Event.Trace == ""]})
		_, err := s.Send(t.Context(), d, 1)
		require.NoError(t, err)
	}
	for _, r := range srv.MustWait(t, 2) {
		require.Empty(t, r.Header.Values("Traceparent"))
		require.Empty(t, r.Header.Values("Tracestate"))
	}
	require.Empty(t, exported.GetSpans())

	_, err := newSender(t, sender.Config{Tracer: tracer}).Send(t.Context(), garbled, 1)
	require.NoError(t, err)
	require.True(t, traceOf(srv.MustWait(t, 3)[2].Header).IsValid(), "a trace of its own")
}

// TestTraceThatNobodyRecords goes on all the same, and says so.
func TestTraceThatNobodyRecords(t *testing.T) {
	t.Parallel()
	tracer, exported := newTracer(sdktrace.ParentBased(sdktrace.AlwaysSample()))
	srv := endpointtest.Start(t, endpointtest.Config{})
	d := tracedDelivery(srv.URL)
	d.Event.Trace = "00-" + appTrace + "-" + accepted + "-00"
	_, err := newSender(t, sender.Config{Tracer: tracer}).Send(t.Context(), d, 1)
	require.NoError(t, err)
	got := traceOf(srv.MustWait(t, 1)[0].Header)
	require.Equal(t, appTrace, got.TraceID().String())
	require.False(t, got.IsSampled())
	require.NotEqual(t, accepted, got.SpanID().String())
	require.Empty(t, exported.GetSpans())
}

func TestTraceOfTrouble(t *testing.T) {
	t.Parallel()
	hang := endpointtest.Start(t, endpointtest.Config{Script: "hang"})
	cut, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() {
		_, _ = hang.Wait(t.Context(), 1)
		stop()
	}()
	unsigned := tracedDelivery(endpointtest.Start(t, endpointtest.Config{}).URL)
	unsigned.Endpoint.Secrets = nil
	for kind, attempt := range map[string]struct {
		ctx context.Context
		d   webhook.Delivery
	}{
		"refused":  {t.Context(), tracedDelivery("http://" + freePort(t))},
		"dns":      {t.Context(), tracedDelivery("http://nothing.invalid/tok-secret")},
		"302":      {t.Context(), tracedDelivery(endpointtest.Start(t, endpointtest.Config{Script: "302"}).URL)},
		"stopping": {cut, tracedDelivery(hang.URL)},
		"internal": {t.Context(), unsigned},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			tracer, exported := newTracer(sdktrace.AlwaysSample())
			attempt.d.Endpoint.Timeout = patience
			_, _ = newSender(t, sender.Config{Tracer: tracer}).Send(attempt.ctx, attempt.d, 1)
			spans := exported.GetSpans()
			require.Len(t, spans, 1)
			require.Contains(t, spans[0].Attributes, attribute.String("error.type", kind))
			require.Equal(t, sdktrace.Status{Code: codes.Error}, spans[0].Status)
			require.NotContains(t, fmt.Sprintf("%+v", spans), "tok-secret")
		})
	}
}

// TestTraceOffCostsNothing: without a tracer, and without a trace, an attempt allocates nothing
// more.
func TestTraceOffCostsNothing(t *testing.T) {
	tracer, _ := newTracer(sdktrace.AlwaysSample())
	ctx, d := t.Context(), delivery("http://127.0.0.1")
	d.Endpoint.Secrets = nil // an attempt that ends before it dials
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Endpoint.URL, http.NoBody)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { sender.Propagate(ctx, req) }))
	for _, s := range []*sender.Sender{newSender(t, sender.Config{}), newSender(t, sender.Config{Tracer: tracer})} {
		bare := testing.AllocsPerRun(100, func() { s.Attempt(ctx, d) })
		require.Equal(t, bare, testing.AllocsPerRun(100, func() { s.Traced(ctx, d) })) //nolint:testifylint // whole numbers
	}
}

// BenchmarkSendTraced is BenchmarkSend's attempt with tracing off and on; exporting is not in it.
func BenchmarkSendTraced(b *testing.B) {
	srv := endpointtest.Start(b, endpointtest.Config{Forget: true})
	noop := sdktrace.NewSimpleSpanProcessor(tracetest.NewNoopExporter())
	on := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(noop), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
	unrecorded := tracedDelivery(srv.URL)
	unrecorded.Event.Trace = "00-" + appTrace + "-" + accepted + "-00"
	for _, run := range []struct {
		name   string
		tracer trace.Tracer
		d      webhook.Delivery
	}{
		{"off", nil, delivery(srv.URL)},
		{"on, event not traced", on.Tracer("test"), delivery(srv.URL)},
		{"on, not sampled", on.Tracer("test"), unrecorded},
		{"on", on.Tracer("test"), tracedDelivery(srv.URL)},
	} {
		b.Run(run.name, func(b *testing.B) {
			s := newSender(b, sender.Config{Tracer: run.tracer})
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.Send(b.Context(), run.d, 1)
				require.NoError(b, err)
			}
		})
	}
}

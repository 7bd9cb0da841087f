package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

const (
	appTrace    = "4bf92f3577b34da6a3ce929d0e0e4736"
	appSpan     = "00f067aa0ba902b7"
	traceparent = "00-" + appTrace + "-" + appSpan + "-01"
)

// traceRig is the middleware before handlers that accept an event each.
type traceRig struct {
	t        *testing.T
	engine   *gin.Engine
	exported *tracetest.InMemoryExporter
	accepted webhook.Event // the last
	fails    error         // what starting answers
}

func newTraceRig(t *testing.T, sampler sdktrace.Sampler) *traceRig {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	r := &traceRig{t: t, engine: gin.New(), exported: tracetest.NewInMemoryExporter()}
	var tracer trace.Tracer
	if sampler != nil {
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.exported), sdktrace.WithSampler(sampler))
		tracer = provider.Tracer("test")
	}
	o := &Observer{tracer: tracer}
	r.engine.Use(o.trace)
	accepts := func(c *gin.Context) {
		r.accepted = webhook.Event{Tenant: "acme", ID: "evt_1"}
		_, done := Acceptance(c.Request.Context(), &r.accepted)
		done(r.fails)
		c.String(http.StatusAccepted, "")
	}
	r.engine.POST("/v1/tenants/:tenant/events", accepts)
	r.engine.POST("/in/:source_id", accepts)
	r.engine.GET("/v1/fails", func(c *gin.Context) { c.String(http.StatusServiceUnavailable, "s3cr3t") })
	r.engine.GET("/v1/breaks", func(*gin.Context) { panic(http.ErrAbortHandler) })
	r.engine.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "") })
	return r
}

// do makes a request and gives the spans that ended in it; header are names and values.
func (r *traceRig) do(method, path string, header ...string) tracetest.SpanStubs {
	r.t.Helper()
	r.exported.Reset()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(`{"payload":"s3cr3t"}`))
	req.Header.Set("Authorization", "Bearer s3cr3t")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r.engine.ServeHTTP(httptest.NewRecorder(), req)
	spans := r.exported.GetSpans()
	require.NotContains(r.t, fmt.Sprintf("%+v", spans), "s3cr3t")
	return spans
}

func TestTraceOfAnAppGoesOn(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	spans := r.do("POST", "/v1/tenants/acme/events", "traceparent", traceparent, "tracestate", "vendor=1", "baggage", "user=s3cr3t")
	require.Len(t, spans, 2)
	accept, request := spans[0], spans[1]
	require.Equal(t, "POST /v1/tenants/:tenant/events", request.Name)
	require.Equal(t, trace.SpanKindServer, request.SpanKind)
	require.Equal(t, appTrace, request.SpanContext.TraceID().String())
	require.Equal(t, appSpan, request.Parent.SpanID().String())
	require.ElementsMatch(t, []attribute.KeyValue{
		attribute.String("http.request.method", "POST"), attribute.String("http.route", "/v1/tenants/:tenant/events"),
		attribute.Int("http.response.status_code", 202), attribute.String("hookloop.tenant", "acme"),
	}, request.Attributes)

	require.Equal(t, "accept", accept.Name)
	require.Equal(t, trace.SpanKindProducer, accept.SpanKind)
	require.Equal(t, request.SpanContext.SpanID(), accept.Parent.SpanID())
	require.ElementsMatch(t, []attribute.KeyValue{
		attribute.String("hookloop.tenant", "acme"), attribute.String("hookloop.event", "evt_1"),
	}, accept.Attributes)
	require.Equal(t, "00-"+appTrace+"-"+accept.SpanContext.SpanID().String()+"-01", r.accepted.Trace)
	require.Equal(t, "vendor=1", r.accepted.TraceState)
}

// TestTraceBegins with a request that is in none, or says so badly: one garbled header loses the
// trace, not the event.
func TestTraceBegins(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	for _, header := range []string{
		"", "nonsense", "00-" + appTrace + "-" + appSpan, "00-" + strings.Repeat("0", 32) + "-" + appSpan + "-01", "ff-" + appTrace + "-" + appSpan + "-01",
	} {
		spans := r.do("POST", "/v1/tenants/acme/events", "traceparent", header, "tracestate", "vendor=1")
		require.Len(t, spans, 2)
		require.False(t, spans[1].Parent.IsValid())
		require.NotEqual(t, appTrace, spans[1].SpanContext.TraceID().String())
		require.Contains(t, r.accepted.Trace, spans[1].SpanContext.TraceID().String())
		require.Empty(t, r.accepted.TraceState)
	}
}

func TestTraceStateHasABound(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	for _, state := range []string{
		"a=" + strings.Repeat("x", 255) + ",b=" + strings.Repeat("x", 255) + ",c=1", strings.Repeat("a=1,", 33), "=", "\xff",
	} {
		r.do("POST", "/v1/tenants/acme/events", "traceparent", traceparent, "tracestate", state)
		require.Contains(t, r.accepted.Trace, appTrace)
		require.Empty(t, r.accepted.TraceState)
	}
}

// TestTraceOfAThirdParty: a sender who may post to a source from anywhere cannot put spans into a
// trace of ours, nor have them recorded.
func TestTraceOfAThirdParty(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, sdktrace.ParentBased(sdktrace.AlwaysSample()))
	spans := r.do("POST", "/in/src_1", "traceparent", traceparent, "tracestate", "vendor=1")
	require.Len(t, spans, 2)
	request := spans[1]
	require.False(t, request.Parent.IsValid())
	require.NotEqual(t, appTrace, request.SpanContext.TraceID().String())
	require.Len(t, request.Links, 1)
	require.Equal(t, appTrace, request.Links[0].SpanContext.TraceID().String())
	require.Contains(t, r.accepted.Trace, request.SpanContext.TraceID().String())
	require.Empty(t, r.accepted.TraceState)

	r = newTraceRig(t, sdktrace.ParentBased(sdktrace.NeverSample()))
	require.Empty(t, r.do("POST", "/in/src_1", "traceparent", traceparent))
	require.Empty(t, r.accepted.Trace)
}

// TestTraceThatNobodyRecords costs an event nothing, unless the app is in it: then it goes on,
// saying that it is not recorded.
func TestTraceThatNobodyRecords(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, sdktrace.ParentBased(sdktrace.NeverSample()))
	require.Empty(t, r.do("POST", "/v1/tenants/acme/events"))
	require.Empty(t, r.accepted.Trace)

	require.Empty(t, r.do("POST", "/v1/tenants/acme/events", "traceparent", "00-"+appTrace+"-"+appSpan+"-00", "tracestate", "vendor=1"))
	require.Regexp(t, "^00-"+appTrace+"-[0-9a-f]{16}-00$", r.accepted.Trace)
	require.NotContains(t, r.accepted.Trace, appSpan)
	require.Equal(t, "vendor=1", r.accepted.TraceState)

	require.Len(t, r.do("POST", "/v1/tenants/acme/events", "traceparent", traceparent), 2, "the app records it")
}

func TestTraceIsOff(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, nil)
	require.Empty(t, r.do("POST", "/v1/tenants/acme/events", "traceparent", traceparent, "tracestate", "vendor=1"))
	require.Equal(t, webhook.Event{Tenant: "acme", ID: "evt_1"}, r.accepted)
}

func TestTraceOfTrouble(t *testing.T) {
	t.Parallel()
	r := newTraceRig(t, sdktrace.AlwaysSample())
	require.Equal(t, codes.Error, r.do("GET", "/v1/fails")[0].Status.Code)

	r.exported.Reset()
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { r.do("GET", "/v1/breaks") })
	broken := r.exported.GetSpans()
	require.Len(t, broken, 1)
	require.Equal(t, codes.Error, broken[0].Status.Code)
	require.NotContains(t, broken[0].Attributes, attribute.Int("http.response.status_code", 200))

	r.fails = errors.New("s3cr3t")
	require.Equal(t, codes.Error, r.do("POST", "/v1/tenants/acme/events")[0].Status.Code)
	r.fails = fmt.Errorf("again: %w", orchestrator.ErrAccepted)
	accept := r.do("POST", "/v1/tenants/acme/events")[0]
	require.Equal(t, codes.Unset, accept.Status.Code)
	require.Contains(t, accept.Attributes, attribute.Bool("hookloop.duplicate", true))

	require.Empty(t, r.do("GET", "/healthz"))
	require.Empty(t, r.do("GET", "/nowhere"))
	spans := r.do("POST", "/v1/tenants/"+strings.Repeat("x", 65)+"/events")
	require.NotContains(t, fmt.Sprint(spans[1].Attributes), "hookloop.tenant")
}

// TestTraceOffCostsNothing: an event that is not traced is accepted without one allocation more.
func TestTraceOffCostsNothing(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	ctx, e := context.Background(), webhook.Event{Tenant: "acme", ID: "evt_1"}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, done := Acceptance(ctx, &e)
		done(nil)
	}))
	c := gin.CreateTestContextOnly(httptest.NewRecorder(), gin.New())
	require.Zero(t, testing.AllocsPerRun(100, func() { (&Observer{}).trace(c) }))
}

// BenchmarkTrace is what tracing adds to a request and its event: the middleware and the
// acceptance.
func BenchmarkTrace(b *testing.B) {
	gin.SetMode(gin.ReleaseMode)
	drop := sdktrace.NewSimpleSpanProcessor(tracetest.NewNoopExporter())
	for _, run := range []struct {
		name    string
		sampler sdktrace.Sampler // nil: off
		header  string
	}{
		{name: "off"},
		{name: "not sampled", sampler: sdktrace.ParentBased(sdktrace.NeverSample())},
		{name: "on", sampler: sdktrace.ParentBased(sdktrace.AlwaysSample())},
		{name: "on in an app's", sampler: sdktrace.ParentBased(sdktrace.AlwaysSample()), header: traceparent},
	} {
		b.Run(run.name, func(b *testing.B) {
			t := &Observer{}
			if run.sampler != nil {
				t.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(drop), sdktrace.WithSampler(run.sampler)).Tracer("test")
			}
			engine := gin.New()
			engine.Use(t.trace)
			engine.POST("/v1/tenants/:tenant/events", func(c *gin.Context) {
				e := webhook.Event{Tenant: "acme", ID: "evt_1"}
				_, done := Acceptance(c.Request.Context(), &e)
				done(nil)
			})
			req := httptest.NewRequestWithContext(b.Context(), "POST", "/v1/tenants/acme/events", http.NoBody)
			if run.header != "" {
				req.Header.Set("traceparent", run.header)
			}
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				engine.ServeHTTP(w, req)
			}
		})
	}
}

package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/endpointtest"
)

// spanCollector takes what a process exports.
type spanCollector struct {
	*httptest.Server

	mu    sync.Mutex
	spans []*tracepb.Span
}

func startCollector(t *testing.T) *spanCollector {
	t.Helper()
	c := &spanCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var request collectorpb.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || proto.Unmarshal(body, &request) != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// named gives the spans of a name, in the order in which they ended.
func (c *spanCollector) named(name string) (found []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	return found
}

// TestTrace follows one event from the app's request to the endpoint, through a failed attempt and
// its retry in the durable lane: one trace, and the endpoint is told the attempt it belongs to.
func TestTrace(t *testing.T) {
	t.Parallel()
	const (
		app1 = "4bf92f3577b34da6a3ce929d0e0e4736"
		span = "00f067aa0ba902b7"
	)
	spans := startCollector(t)
	p := startIn(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + spans.URL, "OTEL_BSP_SCHEDULE_DELAY=100"}, filepath.Join(t.TempDir(), "data"))
	a := app{p}
	s, _ := a.listen(t, endpointtest.Config{Script: "503 200"}, `,"schedule":["0s","1s"]`)
	status, _ := a.try(t.Context(), http.MethodPost, "/events", `{"type":"a.b","data":{"s3cr3t":1}}`, http.Header{
		"Traceparent": {"00-" + app1 + "-" + span + "-01"}, "Tracestate": {"vendor=1"},
	})
	require.Equal(t, http.StatusAccepted, status)
	got := receipts(t, s, 2)
	eventually(t, "both attempts are exported", func() bool { return len(spans.named("attempt")) == 2 })

	accepts := spans.named("accept")
	require.Len(t, accepts, 1)
	requests := spans.named("POST /v1/tenants/:tenant/events")
	require.Len(t, requests, 1)
	require.Equal(t, span, hex.EncodeToString(requests[0].GetParentSpanId()))
	require.Equal(t, requests[0].GetSpanId(), accepts[0].GetParentSpanId())
	for n, attempt := range spans.named("attempt") {
		require.Equal(t, accepts[0].GetSpanId(), attempt.GetParentSpanId())
		require.Equal(t, "00-"+app1+"-"+hex.EncodeToString(attempt.GetSpanId())+"-01", got[n].Header.Get("Traceparent"))
		require.Equal(t, "vendor=1", got[n].Header.Get("Tracestate"))
	}
	spans.mu.Lock()
	defer spans.mu.Unlock()
	for _, s := range spans.spans {
		if hex.EncodeToString(s.GetTraceId()) != app1 {
			require.Equal(t, "POST /v1/tenants/:tenant/endpoints", s.GetName(), "of another request")
		}
		require.NotContains(t, s.String(), "s3cr3t")
		require.NotContains(t, s.String(), p.Token)
	}
}

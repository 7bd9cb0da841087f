package sender

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"hookloop/internal/webhook"
)

// What spans say: names of OpenTelemetry where it has them. Never what the app or the endpoint
// wrote; of a URL its host alone.
const (
	spanMethod   = attribute.Key("http.request.method")
	spanHost     = attribute.Key("server.address")
	spanStatus   = attribute.Key("http.response.status_code")
	spanError    = attribute.Key("error.type")
	spanTenant   = attribute.Key("hookloop.tenant")
	spanEvent    = attribute.Key("hookloop.event")
	spanEndpoint = attribute.Key("hookloop.endpoint")
	spanAttempt  = attribute.Key("hookloop.attempt")
)

// traced is attempt within a span of its own, in the trace of its event: an event without one has
// none. All attempts are children of the event's acceptance, the retry of days later too (ADR 10).
func (s *Sender) traced(ctx context.Context, d webhook.Delivery, number int) (a webhook.Attempt, err error) {
	if s.tracer == nil || d.Event.Trace == "" {
		return s.attempt(ctx, d, number)
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
		"traceparent": d.Event.Trace, "tracestate": d.Event.TraceState,
	})
	ctx, span := s.tracer.Start(ctx, "attempt", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		spanTenant.String(d.Event.Tenant), spanEvent.String(d.Event.ID),
		spanEndpoint.String(d.Endpoint.ID), spanAttempt.Int(number)))
	defer func() { // also after a panic
		describe(span, a, err)
		span.End()
	}()
	return s.attempt(ctx, d, number)
}

// propagate tells the endpoint which trace it is in, and the trace which host that is.
func propagate(ctx context.Context, r *http.Request) {
	span := trace.SpanFromContext(ctx)
	if !span.SpanContext().IsValid() {
		return
	}
	span.SetAttributes(spanMethod.String(r.Method), spanHost.String(r.URL.Hostname()))
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
}

// describe closes with what came of it, in words of closed sets: none of them quotes the endpoint.
func describe(span trace.Span, a webhook.Attempt, err error) {
	if a.StatusCode != 0 {
		span.SetAttributes(spanStatus.Int(a.StatusCode))
	}
	if err == nil && a.Succeeded() {
		return
	}
	span.SetAttributes(spanError.String(kindOf(a, err)))
	span.SetStatus(codes.Error, "")
}

func kindOf(a webhook.Attempt, err error) string {
	deferral, stopped := errors.AsType[*webhook.Deferral](err)
	switch {
	case stopped:
		return string(deferral.Reason)
	case a.Failure != "":
		return string(a.Failure)
	case a.StatusCode != 0:
		return strconv.Itoa(a.StatusCode)
	}
	return string(webhook.DeferInternal) // ours, perhaps a panic
}

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
		attribute.String(webhook.SpanTenant, d.Event.Tenant), attribute.String(webhook.SpanEvent, d.Event.ID),
		attribute.String(webhook.SpanEndpoint, d.Endpoint.ID), attribute.Int(webhook.SpanAttempt, number)))
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
	span.SetAttributes(attribute.String(webhook.SpanMethod, r.Method), attribute.String(webhook.SpanHost, r.URL.Hostname()))
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
}

// describe closes with what came of it, in words of closed sets: none of them quotes the endpoint.
func describe(span trace.Span, a webhook.Attempt, err error) {
	if a.StatusCode != 0 {
		span.SetAttributes(attribute.Int(webhook.SpanStatus, a.StatusCode))
	}
	if err == nil && a.Succeeded() {
		return
	}
	span.SetAttributes(attribute.String(webhook.SpanError, kindOf(a, err)))
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

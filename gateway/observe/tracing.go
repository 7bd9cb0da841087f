package observe

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// maxTraceState bounds what is kept of a tracestate, in bytes: as much as W3C asks to pass on. It
// is written into the event's history.
const maxTraceState = 512

// trace is the middleware that makes a request's span, in the trace the caller is in. A third
// party's trace is not ours, and does not say what we record: its span only links there.
func (o *Observer) trace(c *gin.Context) {
	route := c.FullPath()
	if o.tracer == nil || !isTraced(route) {
		return
	}
	ctx, caller := c.Request.Context(), callerOf(c.Request)
	options := make([]trace.SpanStartOption, 0, 3)
	switch {
	case !caller.IsValid():
	case strings.HasPrefix(route, ingestRoute):
		options = append(options, trace.WithLinks(trace.Link{SpanContext: caller}))
		caller = trace.SpanContext{}
	default:
		ctx = trace.ContextWithRemoteSpanContext(ctx, caller)
	}
	method := Method(c.Request.Method)
	ctx, span := o.tracer.Start(ctx, method+" "+route, append(options,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String(webhook.SpanMethod, method), attribute.String(webhook.SpanRoute, route)))...)
	defer func() {
		describeAnswer(span, c)
		span.End()
	}()
	if span.IsRecording() || caller.IsValid() {
		c.Request = c.Request.WithContext(ctx)
	} // else it is not recorded, and no event need know
	c.Next()
}

const (
	apiRoute    = "/v1/"
	ingestRoute = "/in/"
)

// isTraced leaves out what asks about the process, many times a minute, and what no route takes.
func isTraced(route string) bool {
	return strings.HasPrefix(route, apiRoute) || strings.HasPrefix(route, ingestRoute)
}

// callerOf reads who calls, as W3C Trace Context has it. Baggage is not read.
func callerOf(r *http.Request) trace.SpanContext {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	caller := trace.SpanContextFromContext(ctx)
	if len(caller.TraceState().String()) > maxTraceState {
		caller = caller.WithTraceState(trace.TraceState{})
	}
	return caller
}

// describeAnswer is called after a panic, too: of those, only a connection broken off gets past
// recover.
func describeAnswer(span trace.Span, c *gin.Context) {
	if !span.IsRecording() {
		return
	}
	status := c.Writer.Status()
	if !c.Writer.Written() {
		span.SetStatus(codes.Error, "") // nothing was answered
		return
	}
	span.SetAttributes(attribute.Int(webhook.SpanStatus, status))
	if tenant := c.Param("tenant"); status != http.StatusUnauthorized && webhook.CheckTenant(tenant) == nil {
		span.SetAttributes(attribute.String(webhook.SpanTenant, tenant))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// Acceptance makes the span of one event's acceptance, within the request's, and lets the event's
// trace go on from there. done ends it.
func Acceptance(ctx context.Context, e *webhook.Event) (_ context.Context, done func(error)) {
	within := trace.SpanFromContext(ctx)
	if !within.SpanContext().IsValid() {
		return ctx, func(error) {}
	}
	ctx, span := within.TracerProvider().Tracer("hookloop/gateway").Start(ctx, "accept", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String(webhook.SpanTenant, e.Tenant), attribute.String(webhook.SpanEvent, e.ID)))
	said := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, said)
	e.Trace, e.TraceState = said["traceparent"], said["tracestate"]
	return ctx, func(err error) {
		switch {
		case errors.Is(err, orchestrator.ErrAccepted):
			span.SetAttributes(attribute.Bool(webhook.SpanDuplicate, true))
		case err != nil:
			span.SetStatus(codes.Error, "") // without the error, which may quote
		}
		span.End()
	}
}

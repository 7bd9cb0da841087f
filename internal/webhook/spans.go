package webhook

// What spans say: names of OpenTelemetry where it has them. Their values are never what an app, a
// third party or an endpoint wrote, but for ids that were checked; of a URL it is the host alone.
const (
	SpanMethod    = "http.request.method"
	SpanRoute     = "http.route"
	SpanHost      = "server.address"
	SpanStatus    = "http.response.status_code"
	SpanError     = "error.type"
	SpanTenant    = "hookloop.tenant"
	SpanEvent     = "hookloop.event"
	SpanEndpoint  = "hookloop.endpoint"
	SpanAttempt   = "hookloop.attempt"
	SpanDuplicate = "hookloop.duplicate"
)

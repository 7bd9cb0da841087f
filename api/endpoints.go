package api

import "time"

// NewEndpoint is an endpoint about to be made. What can be set can be changed, but for the secret:
// EndpointChange has the same fields.
type NewEndpoint struct {
	URL         string            `json:"url" maxLength:"2048" doc:"http or https, without credentials and fragment. It is kept as it is called: the host in ASCII (IDNA), what RFC 3986 wants encoded percent-encoded." example:"https://example.com/hooks"`
	EventTypes  []string          `json:"event_types,omitempty" maxItems:"100" pattern:"^(\\*|[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*(\\.\\*)?)$" patternDescription:"words of letters, digits, - and _, separated by dots, like \"contact.updated\"; or \"order.*\" for every type below \"order.\", or \"*\" for every type" maxLength:"130" doc:"The types it wants: order.paid, order.* for every type below order., or * for every type. Absent or empty: every type. What Hookloop says of endpoints and deliveries (endpoint.*, delivery.*) goes only to endpoints that name it so. No type twice."`
	Description string            `json:"description,omitempty" maxLength:"1024" doc:"For people."`
	Owner       string            `json:"owner,omitempty" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"text without control characters" doc:"Whose endpoint it is: the id of a customer in your app." example:"customer-4711"`
	Headers     map[string]string `json:"headers,omitempty" maxProperties:"20" doc:"Sent with every attempt. Refused are those that Hookloop sets or that belong to the connection: accept-encoding, connection, content-encoding, content-length, content-type, expect, host, keep-alive, te, traceparent, tracestate, trailer, transfer-encoding, upgrade, user-agent, and what begins with webhook-, hookloop- or proxy-." example:"{\"X-Team\":\"crm\"}"`
	Metadata    map[string]string `json:"metadata,omitempty" maxProperties:"50" doc:"Your own, never sent. Keys have 1 to 64 bytes, values at most 1024." example:"{\"tier\":\"gold\"}"`
	Schedule    []Duration        `json:"schedule,omitempty" minItems:"1" maxItems:"30" doc:"The wait before each attempt, so as many entries as attempts; in all at most 720h. Absent: ten attempts in 75.6 hours." example:"[\"0s\",\"5s\",\"5m\"]"`
	Timeout     Duration          `json:"timeout,omitzero" shortest:"1s" longest:"30s" doc:"Of one attempt. Absent: 15s." example:"15s"`
	RateLimit   RateLimit         `json:"rate_limit,omitzero" doc:"Of attempts of every kind. Absent: no limit."`
	Approval    ApprovalPolicy    `json:"approval,omitzero" doc:"When people are asked about the endpoint while it keeps failing."`
	Application string            `json:"application,omitempty" doc:"The application behind it, written as tenants are, at most 64 characters. What its sources of the same name send is not delivered here, unless echo is true." example:"crm"`
	Echo        Echo              `json:"echo,omitzero" doc:"true: also what came from its own application. An object {key, value} of two jq expressions over the envelope: what is sent here is remembered for a day, and recognised when a source of the application reports it."`
	Request     RequestShape      `json:"request,omitzero" doc:"What to send instead of the envelope, to an API that cannot be taught webhooks. It is signed all the same."`
	Secret      string            `json:"secret,omitempty" pattern:"^whsec_" patternDescription:"whsec_ and the base64 of 24 to 64 bytes" doc:"whsec_ and the base64 of 24 to 64 bytes. Absent: one is drawn." example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
}

// EndpointChange is a change of an endpoint (RFC 7396).
type EndpointChange struct {
	URL         Patch[string]             `json:"url,omitzero"` // cannot be cleared
	EventTypes  Patch[[]string]           `json:"event_types,omitzero"`
	Description Patch[string]             `json:"description,omitzero"`
	Owner       Patch[string]             `json:"owner,omitzero"`
	Headers     Patch[map[string]*string] `json:"headers,omitzero"` // nil removes one
	Metadata    Patch[map[string]*string] `json:"metadata,omitzero"`
	Schedule    Patch[[]Duration]         `json:"schedule,omitzero"`
	Timeout     Patch[Duration]           `json:"timeout,omitzero"`
	RateLimit   Patch[RateLimitChange]    `json:"rate_limit,omitzero"`
	Approval    Patch[ApprovalChange]     `json:"approval,omitzero"`
	Application Patch[string]             `json:"application,omitzero"`
	Echo        Patch[Echo]               `json:"echo,omitzero"`
	Request     Patch[RequestChange]      `json:"request,omitzero"`
}

// Endpoint is an endpoint as it is kept. Schedule, timeout and approval are those that hold, the
// defaults included.
type Endpoint struct {
	ID          string            `json:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	URL         string            `json:"url" example:"https://example.com/hooks"`
	Host        string            `json:"host" doc:"Of its URL." example:"example.com"`
	State       EndpointState     `json:"state" enum:"active,held,paused,disabled"`
	StateReason string            `json:"state_reason,omitempty" doc:"Why it is not active." example:"paused by jane: they are moving house"`
	EventTypes  []string          `json:"event_types" doc:"Empty: every type of the tenant's own events."`
	Description string            `json:"description"`
	Owner       string            `json:"owner,omitempty" doc:"Whose endpoint it is: the id of a customer in your app." example:"customer-4711"`
	Headers     map[string]string `json:"headers" doc:"Their values are shown as *** to a token without the scope endpoints:write."`
	Metadata    map[string]string `json:"metadata"`
	Schedule    []Duration        `json:"schedule" doc:"The wait before each attempt." example:"[\"0s\",\"5s\",\"5m\"]"`
	Timeout     Duration          `json:"timeout" example:"15s"`
	RateLimit   RateLimit         `json:"rate_limit,omitzero" doc:"Of attempts of every kind. Absent: no limit."`
	Approval    ApprovalPolicy    `json:"approval"`
	Application string            `json:"application,omitempty" doc:"The application behind it; its events of sources of the same application are not delivered here, unless echo is true." example:"crm"`
	Echo        Echo              `json:"echo,omitzero" doc:"true, or how to find object and value in what is sent here."`
	Request     RequestShape      `json:"request,omitzero" doc:"What is sent instead of the envelope."`
	Breaker     string            `json:"breaker,omitempty" enum:"closed,open,half-open" doc:"As the process that answers sees it: every worker has a breaker of its own. Absent in lists, and where no worker runs beside the gateway."`
	Activity    *Activity         `json:"activity,omitempty" doc:"How it does now. Absent in answers to changes."`
	Version     int               `json:"version" doc:"Grows with each change; attempts record it." example:"1"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Secret      string            `json:"secret,omitempty" doc:"Only in the answer that created it."`

	PreviousSecretUntil *time.Time `json:"previous_secret_until,omitempty" doc:"Until then the secret before signs as well. Absent in lists, and where one secret signs alone."`
}

// EndpointQuery says which endpoints are wanted.
type EndpointQuery struct {
	Owner string `query:"owner" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"text without control characters" doc:"Only this owner's. Absent: those of every owner, and of none." example:"customer-4711"`
	PageQuery
}

// RateLimit bounds the attempts at an endpoint.
type RateLimit struct {
	PerSecond float64 `json:"per_second,omitempty" required:"true" minimum:"0.001" maximum:"10000" example:"10"`
	Burst     int     `json:"burst,omitempty" minimum:"1" maximum:"10000" doc:"Attempts that may go at once after a silence. Absent: one second's worth." example:"20"`
}

// RateLimitChange is a change of a RateLimit.
type RateLimitChange struct {
	PerSecond Patch[float64] `json:"per_second,omitzero"`
	Burst     Patch[int]     `json:"burst,omitzero"`
}

// ApprovalPolicy says when an endpoint that keeps failing is held and people are asked, and for how
// long.
type ApprovalPolicy struct {
	After   Duration `json:"after,omitzero" shortest:"1s" longest:"2160h" doc:"Of failing until the endpoint is held and people are asked. Absent: 1h." example:"1h"`
	Timeout Duration `json:"timeout,omitzero" shortest:"1s" longest:"2160h" doc:"Of asking until the endpoint is rejected for want of an answer. Absent: 168h." example:"168h"`
	Named   bool     `json:"named,omitempty" doc:"true: a decision that does not say whose it is is refused. The API knows it from the token; a signal in the Temporal UI must say \"by\"."`
}

// ApprovalChange is a change of an ApprovalPolicy.
type ApprovalChange struct {
	After   Patch[Duration] `json:"after,omitzero"`
	Timeout Patch[Duration] `json:"timeout,omitzero"`
	Named   Patch[bool]     `json:"named,omitzero"`
}

// RequestShape is what an endpoint gets instead of the envelope.
type RequestShape struct {
	Method string `json:"method,omitempty" enum:"POST,PUT,PATCH,DELETE" doc:"Absent: POST."`
	Path   string `json:"path,omitempty" pattern:"\\S" patternDescription:"a jq expression like \".data.id\"" maxLength:"4096" doc:"jq over the envelope: a list of segments that follow the URL's path. Absent: the URL as it is." example:"[\"contacts\", .data.id, \"edit\"]"`
	Body   string `json:"body,omitempty" pattern:"\\S" patternDescription:"a jq expression like \".data.id\"" maxLength:"4096" doc:"jq over the envelope: the JSON to send. Absent: the envelope." example:".data.fields"`
}

// RequestChange is a change of a RequestShape.
type RequestChange struct {
	Method Patch[string] `json:"method,omitzero"`
	Path   Patch[string] `json:"path,omitzero"`
	Body   Patch[string] `json:"body,omitzero"`
}

// Secret is the one that signs from now on.
type Secret struct {
	Secret        string     `json:"secret" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
	PreviousUntil *time.Time `json:"previous_until,omitempty" doc:"Until then the secret before signs as well. Absent: this one signs alone."`
}

// SecretRotation asks for a new secret.
type SecretRotation struct {
	Overlap *Duration `json:"overlap,omitempty" shortest:"0s" longest:"168h" doc:"How long the secret before signs as well. Absent: 24h." example:"24h"`
}

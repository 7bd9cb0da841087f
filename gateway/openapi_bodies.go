package gateway

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The structs here only document what the parsers read; tests hold the two together.

const endpointChange = "EndpointChange"

var requestBodies = []string{
	"NewEvent", "NewEndpoint", "NewRateLimit", "NewApprovalPolicy", endpointChange, "SecretRotation", "OperatorOrder", "ReleaseOrder",
	"EventRedelivery", "EndpointRecovery", "NewSource", "SourceChange", "EchoPaths", "RequestShape",
}

// newEvent documents webhook.ParseEvent.
type newEvent struct {
	Type      string          `json:"type" maxLength:"128" pattern:"^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$" doc:"Upper and lower case are different types." example:"contact.updated"`
	Data      json.RawMessage `json:"data" doc:"Any JSON value. It is kept and sent byte for byte."`
	Timestamp time.Time       `json:"timestamp,omitzero" doc:"When it happened. Absent: now."`
}

// newEndpoint documents rules.create.
type newEndpoint struct {
	URL         string             `json:"url" format:"uri" maxLength:"2048" doc:"http or https, without credentials and fragment. It is kept as it is called: the host in ASCII (IDNA), what RFC 3986 wants encoded percent-encoded." example:"https://example.com/hooks"`
	EventTypes  []string           `json:"event_types,omitempty" maxItems:"100" uniqueItems:"true" doc:"The types it wants: order.paid, order.* for every type below order., or * for every type. Absent or empty: every type. What Hookloop says of endpoints and deliveries (endpoint.*, delivery.*) goes only to endpoints that name it so."`
	Description string             `json:"description,omitempty" maxLength:"1024"`
	Headers     map[string]string  `json:"headers,omitempty" maxProperties:"20" doc:"Sent with every attempt. Refused are those that Hookloop sets or that belong to the connection: accept-encoding, connection, content-encoding, content-length, content-type, expect, host, keep-alive, te, traceparent, tracestate, trailer, transfer-encoding, upgrade, user-agent, and what begins with webhook-, hookloop- or proxy-."`
	Metadata    map[string]string  `json:"metadata,omitempty" maxProperties:"50" doc:"The app's own, never sent."`
	Schedule    []string           `json:"schedule,omitempty" minItems:"1" maxItems:"30" doc:"The wait before each attempt, so as many entries as attempts; in all at most 720h. Absent: ten attempts in 75.6 hours."`
	Timeout     string             `json:"timeout,omitempty" doc:"Of one attempt, 1s to 30s. Absent: 15s." example:"15s"`
	RateLimit   *newRateLimit      `json:"rate_limit,omitempty" doc:"Of attempts of whatever kind. Absent: no limit."`
	Approval    *newApprovalPolicy `json:"approval,omitempty" doc:"When people are asked about the endpoint while it keeps failing."`
	Application string             `json:"application,omitempty" maxLength:"64" doc:"The application behind it. What its sources of the same name send is not delivered here, unless echo is true." example:"crm"`
	Echo        any                `json:"echo,omitempty" doc:"true: also what came from its own application. An object {key, value} of two jq expressions over the envelope: what is sent here is remembered for a day, and recognised when a source of the application reports it."`
	Request     *requestShape      `json:"request,omitempty" doc:"What to send instead of the envelope, to an API that cannot be taught webhooks. It is signed all the same."`
	Secret      string             `json:"secret,omitempty" pattern:"^whsec_" doc:"whsec_ and the base64 of 24 to 64 bytes. Absent: one is drawn."`
}

// newRateLimit documents rateLimit.
type newRateLimit struct {
	PerSecond float64 `json:"per_second" minimum:"0.001" maximum:"10000" example:"10"`
	Burst     int     `json:"burst,omitempty" minimum:"1" maximum:"10000" doc:"Attempts that may go at once after a silence. Absent: one second's worth." example:"20"`
}

// newApprovalPolicy documents approvalPolicy.
type newApprovalPolicy struct {
	After   string `json:"after,omitempty" doc:"Of failing until the endpoint is held and people are asked, 1s to 2160h. Absent: 1h." example:"1h"`
	Timeout string `json:"timeout,omitempty" doc:"Of asking until the endpoint is rejected for want of an answer, 1s to 2160h. Absent: 168h." example:"168h"`
}

// operatorOrder documents parseOrder.
type operatorOrder struct {
	Reason string `json:"reason,omitempty" maxLength:"1024" doc:"For whoever reads the history." example:"the customer has mended their firewall"`
}

// releaseOrder documents parseRelease.
type releaseOrder struct {
	Reason        string  `json:"reason,omitempty" maxLength:"1024" doc:"For whoever reads the history." example:"the customer has mended their firewall"`
	RatePerSecond float64 `json:"rate_per_second,omitempty" minimum:"0.1" maximum:"1000" doc:"Held deliveries let go a second; the endpoint's rate_limit holds besides. Absent: 10."`
}

// eventRedelivery documents parseRedelivery.
type eventRedelivery struct {
	EndpointID string `json:"endpoint_id,omitempty" doc:"Absent: every delivery that ended undelivered." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

// endpointRecovery documents parseRecovery.
type endpointRecovery struct {
	Since         string  `json:"since" doc:"Deliveries that began at this time or later: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Until         string  `json:"until,omitempty" doc:"Deliveries that began before this time, likewise. Absent: now." example:"2026-01-31T12:00:00Z"`
	Unmatched     bool    `json:"unmatched,omitempty" doc:"In place of what the endpoint missed: events accepted in that time that no endpoint wanted, of types this one wants now."`
	DryRun        bool    `json:"dry_run,omitempty" doc:"Only count."`
	RatePerSecond float64 `json:"rate_per_second,omitempty" minimum:"0.1" maximum:"1000" doc:"Redeliveries started a second; the endpoint's rate_limit holds besides. Absent: 10."`
}

// secretRotation documents parseRotation.
type secretRotation struct {
	Overlap string `json:"overlap,omitempty" doc:"How long the secret before signs as well, 0s to 168h. Absent: 24h." example:"24h"`
}

// newSource documents Gateway.newSource.
type newSource struct {
	Provider    string          `json:"provider" doc:"Whose protocol it speaks." example:"stripe"`
	Name        string          `json:"name,omitempty" maxLength:"1024" doc:"For people. Absent: the provider's."`
	Config      json.RawMessage `json:"config" doc:"What the provider needs, above all the third party's secrets; see docs/sources.md."`
	TypePrefix  string          `json:"type_prefix,omitempty" maxLength:"64" pattern:"^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$" doc:"Begins the types of its events. Absent: the provider's name." example:"shop"`
	Application string          `json:"application,omitempty" maxLength:"64" doc:"Its events are not delivered to endpoints of the same application." example:"crm"`
	Echo        *echoPaths      `json:"echo,omitempty" doc:"jq over an item: what is found here and was delivered to the application lately is an echo, and goes to nobody."`
}

// sourceChange documents Gateway.changeSource.
type sourceChange struct {
	Name        string          `json:"name,omitempty" maxLength:"1024"`
	Config      json.RawMessage `json:"config,omitempty" doc:"Replaces the whole."`
	TypePrefix  *string         `json:"type_prefix,omitempty" maxLength:"64"`
	Application *string         `json:"application,omitempty" maxLength:"64"`
	Echo        *echoPaths      `json:"echo,omitempty" doc:"null: none."`
}

func newSourceBody(api huma.API) *huma.RequestBody {
	return jsonBody[newSource](api, true, map[string]any{
		"provider": "stripe", "name": "payments", "config": map[string]any{"secrets": []string{"whsec_…"}},
	})
}

func sourceChangeBody(api huma.API) *huma.RequestBody {
	return patchBody(jsonBody[sourceChange](api, true, map[string]any{"config": map[string]any{"secrets": []string{"whsec_new…", "whsec_old…"}}}))
}

func newEventBody(api huma.API) *huma.RequestBody {
	return jsonBody[newEvent](api, true, map[string]any{
		"type": "contact.updated",
		"data": map[string]any{"id": 4711, "email": "jane@example.com"},
	})
}

func newEndpointBody(api huma.API) *huma.RequestBody {
	return jsonBody[newEndpoint](api, true, map[string]any{
		"url":         "https://example.com/hooks",
		"event_types": []string{"contact.updated"},
	})
}

func rotationBody(api huma.API) *huma.RequestBody {
	return jsonBody[secretRotation](api, false, map[string]any{"overlap": "24h"})
}

func orderBody(api huma.API) *huma.RequestBody {
	return jsonBody[operatorOrder](api, false, map[string]any{"reason": "the customer has mended their firewall"})
}

func releaseBody(api huma.API) *huma.RequestBody {
	return jsonBody[releaseOrder](api, false, map[string]any{"reason": "the customer has mended their firewall", "rate_per_second": 50})
}

func redeliveryBody(api huma.API) *huma.RequestBody {
	return jsonBody[eventRedelivery](api, false, map[string]any{"endpoint_id": "ep_01jzc8k0a2n4p6r8s0t2v4w6x8"})
}

func recoveryBody(api huma.API) *huma.RequestBody {
	return jsonBody[endpointRecovery](api, true, map[string]any{"since": "2026-01-31T12:00:00Z", "dry_run": true})
}

// patchBody is a body under both names that PATCH takes.
func patchBody(body *huma.RequestBody) *huma.RequestBody {
	body.Content[mergePatch] = body.Content["application/json"]
	return body
}

func jsonBody[T any](api huma.API, required bool, example map[string]any) *huma.RequestBody {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	return &huma.RequestBody{Required: required, Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema, Example: example},
	}}
}

// endpointChangeBody is a newEndpoint of which nothing is required and all but the URL can be
// cleared.
func endpointChangeBody(api huma.API) *huma.RequestBody {
	whole := api.OpenAPI().Components.Schemas.Map()["NewEndpoint"]
	change := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: maps.Clone(whole.Properties)}
	delete(change.Properties, "secret")
	for field, schema := range change.Properties {
		copied := *schema
		copied.Nullable = field != "url" && copied.Ref == "" && copied.Type != ""
		if values, ok := copied.AdditionalProperties.(*huma.Schema); ok {
			value := *values
			value.Nullable = true // removes one entry
			copied.AdditionalProperties = &value
		}
		change.Properties[field] = &copied
		if schema.Ref != "" { // a reference takes no type of its own beside it
			change.Properties[field] = &huma.Schema{Description: schema.Description, OneOf: []*huma.Schema{{Ref: schema.Ref}, {Type: "null"}}}
		}
	}
	api.OpenAPI().Components.Schemas.Map()[endpointChange] = change
	return patchBody(&huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
		Schema:  &huma.Schema{Ref: "#/components/schemas/" + endpointChange},
		Example: map[string]any{"timeout": "10s", "event_types": nil},
	}}})
}

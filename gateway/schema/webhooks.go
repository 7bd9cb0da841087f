package schema

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// ownEvents are those that Hookloop itself posts, with what their data is.
var ownEvents = []struct {
	eventType, summary string
	data               reflect.Type
}{
	{api.EventEndpointHeld, "An endpoint keeps failing: it is held, and people are asked", reflect.TypeFor[api.EndpointNotice]()},
	{api.EventEndpointReminder, "People are still asked about an endpoint", reflect.TypeFor[api.EndpointNotice]()},
	{api.EventEndpointReleased, "An endpoint is active again, and what was held is on its way", reflect.TypeFor[api.EndpointNotice]()},
	{api.EventEndpointRecovered, "All that was held for an endpoint has gone out", reflect.TypeFor[api.EndpointNotice]()},
	{api.EventEndpointRejected, "An endpoint was given up: it is disabled", reflect.TypeFor[api.EndpointNotice]()},
	{api.EventDeliveryExhausted, "A delivery has spent its schedule", reflect.TypeFor[api.DeliveryNotice]()},
}

const webhookText = "Signed as Standard Webhooks has it: verify `webhook-signature` over `<webhook-id>.<webhook-timestamp>.<body>` with any of its " +
	"libraries, and treat a `webhook-id` that comes again as the same event. A 2xx takes the event; everything else is tried again by the endpoint's schedule."

// received documents what endpoints receive.
func received(r huma.Registry, tag string) map[string]*huma.PathItem {
	all := map[string]*huma.PathItem{
		"event": {Post: webhookOperation("receive-event", tag, "An event", webhookText, refTo[api.Envelope](r))},
	}
	for _, e := range ownEvents {
		body := &huma.Schema{
			Type: huma.TypeObject, Required: []string{"type", "timestamp", "data"},
			Properties: map[string]*huma.Schema{
				"type":      {Type: huma.TypeString, Enum: []any{e.eventType}},
				"timestamp": {Type: huma.TypeString, Format: "date-time"},
				"data":      r.Schema(e.data, true, ""),
			},
		}
		text := "Goes to endpoints that name `" + e.eventType + "`, or the types below its first word, among their event types. " + webhookText
		all[e.eventType] = &huma.PathItem{Post: webhookOperation("receive-"+e.eventType, tag, e.summary, text, body)}
	}
	return all
}

func webhookOperation(id, tag, summary, text string, body *huma.Schema) *huma.Operation {
	header := func(name, description, example string) *huma.Param {
		return &huma.Param{
			Name: name, In: "header", Required: name != "traceparent", Description: description, Example: example, Schema: &huma.Schema{Type: huma.TypeString},
		}
	}
	return &huma.Operation{
		OperationID: id, Method: http.MethodPost, Summary: summary, Description: text, Tags: []string{tag},
		Security: []map[string][]string{},
		Parameters: []*huma.Param{
			header(signature.HeaderID, "The event's id, the same at every attempt.", "evt_01jzc8m3v7q2w5x9y1b4d6f8hk"),
			header(signature.HeaderTimestamp, "When this attempt was made, in seconds since 1970.", "1769860800"),
			header(signature.HeaderSignature, "`v1,` and the base64 of an HMAC-SHA256; one for each secret that signs, with blanks between.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
			header(webhook.HeaderHops, "How often the event has passed through Hookloop. An app that posts what follows from it sends the header along.", "1"),
			header("traceparent", "The attempt in W3C Trace Context, if the event is traced.", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		Responses: map[string]*huma.Response{
			"2XX": {Description: "The endpoint has taken the event."},
			"410": {Description: "The endpoint wants no more: it is held, and people are asked."},
			"429": {Description: "Too many; Retry-After is honoured."},
			"503": {Description: "Not now; Retry-After is honoured."},
			"default": {Description: "The endpoint has not taken the event. The header `webhook-delivery: abort-message` ends the delivery, " +
				"`webhook-delivery: disable` has the endpoint held."},
		},
	}
}

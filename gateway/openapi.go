package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/schema"
)

const security = "token"

// apiConfig leaves out what huma would serve by itself: its documentation page loads scripts from
// elsewhere, and its schema links would stand in our answers.
func apiConfig(version string, schemas huma.Registry) huma.Config {
	c := huma.DefaultConfig("Hookloop", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Components.Schemas = schemas
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{ownProblems}
	c.Info.Description = "Post an event once; every endpoint gets it, signed (Standard Webhooks), or people are asked.\n\n" +
		"Durations are Go's (`\"5s\"`, `\"24h\"`), times RFC 3339 in UTC, sizes bytes. Errors are problems (RFC 9457) with a `code`."
	c.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: "/", Description: "Where this document was found."}}
	c.Tags = tags()
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{security: {
		Type: "http", Scheme: "bearer", BearerFormat: "JWT",
		Description: "Claims: `exp`, `iss`, `aud`, `sub`; `tenants`, a list of tenants or `[\"*\"]`; `scope`. Both as a list of texts, or as one text with spaces between. Clocks may be a minute apart. " +
			"With `endpoints`, a list of ids, or `owner` it is confined to those endpoints of its one tenant: it may call what says so, and learns of nothing else.",
	}}
	return c
}

const (
	tagEvents     = "events"
	tagDeliveries = "deliveries"
	tagEndpoints  = "endpoints"
	tagApprovals  = "approvals"
	tagRecoveries = "recoveries"
	tagSources    = "sources"
	tagAudit      = "audit"
	tagPortal     = "portal"
	tagWebhooks   = "webhooks"
)

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: tagEvents, Description: "What apps post, and what became of it."},
		{Name: tagDeliveries, Description: "One event on its way to one endpoint."},
		{Name: tagEndpoints, Description: "Where deliveries go, with their secrets and policies."},
		{Name: tagApprovals, Description: "Endpoints that keep failing, about which people decide."},
		{Name: tagRecoveries, Description: "Redelivering what an endpoint did not get."},
		{Name: tagSources, Description: "Third parties that send to us."},
		{Name: tagAudit, Description: "What happened, line by line."},
		{Name: tagPortal, Description: "Pages for the owners of endpoints, and links that open them."},
		{Name: tagWebhooks, Description: "What endpoints receive."},
	}
}

func (op operation) document() huma.Operation {
	text := "Scope: `" + op.scope + "`."
	if _, may := confined[op.id]; may {
		text += " A token that is confined to endpoints may call it about those."
	}
	if op.text != "" {
		text = op.text + "\n\n" + text
	}
	return huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: text,
		DefaultStatus: op.status, Tags: []string{op.tag},
		Security:  []map[string][]string{{security: {}}},
		Responses: map[string]*huma.Response{},
	}
}

func describe(path *huma.PathItem, method string) *huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: path.Get, http.MethodPost: path.Post, http.MethodPatch: path.Patch, http.MethodDelete: path.Delete,
	}[method]
}

func operations(path *huma.PathItem) (all []*huma.Operation) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		if op := describe(path, method); op != nil {
			all = append(all, op)
		}
	}
	return all
}

// openAPI writes the document.
func openAPI(doc *huma.OpenAPI) ([]byte, error) {
	r := doc.Components.Schemas
	delete(r.Map(), "ErrorModel")
	delete(r.Map(), "ErrorDetail")
	doc.Webhooks = schema.Webhooks(r, tagWebhooks)
	requests := inRequests(doc)
	for name, s := range r.Map() {
		schema.Each(s, schema.DescribePattern)
		if !strings.HasSuffix(name, schema.ChangeSuffix) {
			neverNull(s)
		}
		if !requests[name] {
			s.AdditionalProperties = nil // answers grow; requests are strict
		}
	}
	document, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	return append(document, '\n'), nil
}

// inRequests are the names of the schemas that bodies of requests are made of.
func inRequests(doc *huma.OpenAPI) map[string]bool {
	found := map[string]bool{}
	var follow func(s *huma.Schema)
	follow = func(s *huma.Schema) {
		if name := strings.TrimPrefix(s.Ref, schema.Prefix); s.Ref != "" && !found[name] {
			found[name] = true
			follow(doc.Components.Schemas.SchemaFromRef(s.Ref))
		}
		for _, part := range slices.Concat(s.OneOf, slices.Collect(maps.Values(s.Properties))) {
			follow(part)
		}
	}
	for _, path := range doc.Paths {
		for _, op := range operations(path) {
			if op.RequestBody != nil {
				follow(op.RequestBody.Content["application/json"].Schema)
			}
		}
	}
	return found
}

// neverNull takes back what huma says of lists, that they may be null: ours are empty instead.
func neverNull(s *huma.Schema) {
	for _, p := range s.Properties {
		if p.Type == huma.TypeArray {
			p.Nullable = false
		}
	}
}

// codes are those an operation may answer with.
func (op operation) codes(hasBody bool) []api.Code {
	all := append([]api.Code{
		api.Unauthenticated, api.WrongTenant, api.MissingScope, api.OutOfReach, api.InvalidField, api.Unavailable, api.Internal,
	}, op.refuses...)
	if hasBody {
		all = append(all, api.BadJSON, api.RequestTimeout, api.PayloadTooLarge, api.UnsupportedMediaType)
	}
	if strings.Contains(op.path, "id}") {
		all = append(all, api.NotFound)
	}
	if _, may := confined[op.id]; may || op.cost != cheap {
		all = append(all, api.QuotaExceeded)
	}
	if op.admitted {
		all = append(all, api.Overloaded)
	}
	return all
}

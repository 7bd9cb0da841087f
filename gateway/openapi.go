package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

const security = "token"

// apiConfig leaves out what huma would serve by itself: its documentation page loads scripts from
// elsewhere, and its schema links would stand in our answers.
func apiConfig(version string) huma.Config {
	c := huma.DefaultConfig("Hookloop", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{ownProblems}
	c.Info.Description = "Post an event once; every endpoint gets it, signed (Standard Webhooks), or somebody is asked.\n\n" +
		"Durations are Go's (`\"5s\"`, `\"24h\"`), times RFC 3339 in UTC, sizes bytes. Errors are problems (RFC 9457) with a `code`."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{security: {
		Type: "http", Scheme: "bearer", BearerFormat: "JWT",
		Description: "Claims: `exp`, `iss`, `aud`, `sub`; `tenants`, a list of tenants or `[\"*\"]`; `scope`. Both as a list of texts, or as one text with spaces between. Clocks may be a minute apart.",
	}}
	return c
}

func (op operation) document() huma.Operation {
	text := "Scope: `" + op.scope + "`."
	if op.text != "" {
		text = op.text + "\n\n" + text
	}
	return huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: text,
		DefaultStatus: op.status,
		Security:      []map[string][]string{{security: {}}},
		Responses:     map[string]*huma.Response{},
	}
}

func describe(path *huma.PathItem, method string) *huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: path.Get, http.MethodPost: path.Post, http.MethodPatch: path.Patch, http.MethodDelete: path.Delete,
	}[method]
}

// openAPI writes the document and gives every operation its errors.
func openAPI(api *huma.OpenAPI) ([]byte, error) {
	problem := api.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	delete(api.Components.Schemas.Map(), "ErrorModel")
	delete(api.Components.Schemas.Map(), "ErrorDetail")
	for _, path := range api.Paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
			if op := describe(path, method); op != nil {
				addProblems(op, problem)
				documentAdmission(op)
				documentQuotas(op, op.Responses["default"].Content)
			}
		}
	}
	for name, schema := range api.Components.Schemas.Map() {
		if name != endpointChange {
			neverNull(schema)
		}
		if !slices.Contains(requestBodies, name) {
			schema.AdditionalProperties = nil // answers grow; requests are strict
		}
	}
	document, err := json.MarshalIndent(api, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	return append(document, '\n'), nil
}

func addProblems(op *huma.Operation, problem *huma.Schema) {
	content := map[string]*huma.MediaType{problemType: {Schema: problem}}
	delete(op.Responses, "default")
	for status, when := range map[int]string{
		http.StatusUnauthorized:        "`unauthenticated`: no token, or one that proves nothing.",
		http.StatusForbidden:           "`wrong_tenant` or `missing_scope`.",
		http.StatusUnprocessableEntity: "`invalid_field`: the errors name it.",
		http.StatusServiceUnavailable:  "`unavailable`: Temporal or the registry cannot be reached; try again after Retry-After.",
	} {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: when, Content: content}
	}
	op.Responses["default"] = &huma.Response{Description: "Any other problem; its `code` says which.", Content: content}
}

// neverNull takes back what huma says of lists, that they may be null: ours are empty instead.
func neverNull(s *huma.Schema) {
	for _, p := range s.Properties {
		if p.Type == huma.TypeArray {
			p.Nullable = false
		}
	}
}

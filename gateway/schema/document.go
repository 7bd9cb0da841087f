package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Operation is the one of a path and a method; nil: there is none.
func Operation(path *huma.PathItem, method string) *huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: path.Get, http.MethodPost: path.Post, http.MethodPatch: path.Patch, http.MethodDelete: path.Delete,
	}[method]
}

func operations(path *huma.PathItem) (all []*huma.Operation) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		if op := Operation(path, method); op != nil {
			all = append(all, op)
		}
	}
	return all
}

// Document writes the OpenAPI document, once all operations are in it. Webhooks get the tag.
func Document(doc *huma.OpenAPI, webhooks string) ([]byte, error) {
	r := doc.Components.Schemas
	delete(r.Map(), "ErrorModel")
	delete(r.Map(), "ErrorDetail")
	doc.Webhooks = received(r, webhooks)
	requests := inRequests(doc)
	for name, s := range r.Map() {
		Each(s, DescribePattern)
		if !strings.HasSuffix(name, changeSuffix) {
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
		if name := strings.TrimPrefix(s.Ref, prefix); s.Ref != "" && !found[name] {
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

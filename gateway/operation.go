package gateway

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/confined"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
)

// answerOf is an answer that is nothing but its body.
type answerOf[T any] struct{ Body T }

// answered is the answer of a handler that ends with what may have failed: body counts only without
// an error.
func answered[T any](body T, err error) (*answerOf[T], error) {
	if err != nil {
		return nil, err
	}
	return &answerOf[T]{Body: body}, nil
}

// operation is what a route adds to its handler.
type operation struct {
	id, method, path string
	tag, scope       string
	status           int // zero: 200
	summary, text    string
	example          any           // of the body
	refuses          []api.Code    // besides those that follow from the rest
	admitted         bool          // accepts or redelivers, so that it needs a place
	cost             cost          // of its tenant's quotas
	within           time.Duration // the answer comes, once the body is read; zero: the handler bounds it
}

// route serves an operation and documents it. Its body is read, and its handler's errors become
// problems, here.
func route[I, O any](g *Gateway, to huma.API, op operation, handle func(context.Context, *I) (*O, error)) {
	documented := op.document()
	documented.Middlewares = huma.Middlewares{g.requires(op.scope, op.id)}
	if op.admitted {
		documented.Middlewares = append(documented.Middlewares, g.admits)
	}
	if op.cost != cheap {
		documented.Middlewares = append(documented.Middlewares, g.charges(op.cost))
	}
	huma.Register(to, documented, func(ctx context.Context, in *I) (*O, error) {
		out, err := serve(ctx, g.schemas, op.within, in, handle)
		if err != nil {
			return nil, problem.Of(ctx, err, g.cfg.Logger)
		}
		return out, nil
	})
	described := schema.Operation(to.OpenAPI().Paths[op.path], op.method)
	b, hasBody := any(new(I)).(bodied)
	if hasBody { // only now: a body huma knew of, huma would read
		described.RequestBody = op.requestBody(b.document(g.schemas))
	}
	for _, p := range described.Parameters {
		schema.Each(p.Schema, schema.DescribePattern)
	}
	delete(described.Responses, "default")
	maps.Copy(described.Responses, schema.Problems(g.schemas, op.codes(hasBody)))
}

// serve reads the body, checks the identifiers of the path and bounds the time the handler has.
func serve[I, O any](ctx context.Context, schemas huma.Registry, within time.Duration, in *I, handle func(context.Context, *I) (*O, error)) (*O, error) {
	if b, ok := any(in).(bodied); ok {
		if err := b.take(schemas); err != nil {
			return nil, err
		}
	}
	if p, ok := any(in).(located); ok {
		if err := p.checkID(); err != nil {
			return nil, err
		}
	}
	if within > 0 {
		bounded, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		ctx = bounded
	}
	return handle(ctx, in)
}

// requestBody is how a body is documented.
func (op operation) requestBody(schema *huma.Schema, optional bool) *huma.RequestBody {
	content := map[string]*huma.MediaType{"application/json": {Schema: schema, Example: op.example}}
	if op.method == http.MethodPatch {
		content[mergePatch] = content["application/json"]
	}
	return &huma.RequestBody{Required: !optional, Content: content}
}

func (op operation) document() huma.Operation {
	text := "Scope: `" + op.scope + "`."
	if confined.May(op.id) {
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
	if confined.May(op.id) || op.cost != cheap {
		all = append(all, api.QuotaExceeded)
	}
	if op.admitted {
		all = append(all, api.Overloaded)
	}
	return all
}

// ownProblems turns huma's errors, which have no code, into ours. Huma only ever finds fault with
// path, query and header parameters: bodies are read by us.
func ownProblems(c huma.Context, _ string, body any) (any, error) {
	theirs, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	if theirs.Status != http.StatusUnprocessableEntity {
		return problem.New(api.Internal, "something went wrong on our side; it has been logged"), nil
	}
	var faults []api.FieldError
	for _, d := range theirs.Errors {
		_, name, _ := strings.Cut(d.Location, ".") // "query.limit"; the value is not echoed
		faults = append(faults, api.FieldError{Field: problem.Shortened(name), Message: schema.Words(d.Message, parameter(c, name))})
	}
	return problem.Invalid(faults), nil
}

// parameter is the schema of an operation's parameter; one that allows everything if there is none.
func parameter(c huma.Context, name string) *huma.Schema {
	for _, p := range c.Operation().Parameters {
		if p.Name == name {
			return p.Schema
		}
	}
	return &huma.Schema{}
}

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

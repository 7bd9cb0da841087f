package gateway

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/gateway/apidocs"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/internal/ownhost"
	"hookloop/internal/webhook"
)

// answerOf is an answer that is nothing but its body.
type answerOf[T any] struct{ Body T }

// ingestPath is where third parties send to.
const ingestPath = "/in/:source_id"

// routes puts everything the gateway serves behind one handler.
func (g *Gateway) routes(c Config) (http.Handler, error) {
	engine := g.newEngine()
	if err := trust(engine, c.Proxies); err != nil {
		return nil, err
	}
	g.health(engine)
	if !c.OpsApart {
		engine.GET("/metrics", gin.WrapH(g.metrics.handler))
	}
	if g.codec != nil {
		engine.Any("/codec/*path", gin.WrapH(g.codec))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		engine.Handle(method, ingestPath, g.ingest.Handle)
	}

	to := humagin.New(engine, apiConfig(g.version, g.schemas))
	g.eventRoutes(to)
	g.dataRoute(to)
	g.auditRoutes(to)
	g.erasureRoutes(to)
	g.deliveryRoutes(to)
	g.endpointRoutes(to)
	g.attemptRoutes(to)
	g.statsRoutes(to)
	g.stateRoutes(to)
	g.approvalRoutes(to)
	g.recoveryRoutes(to)
	g.sourceRoutes(to)
	g.portalRoutes(to)
	document, err := openAPI(to.OpenAPI())
	if err != nil {
		return nil, err
	}
	engine.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", document) })
	docs := gin.WrapH(apidocs.Handler())
	engine.GET(apidocs.Path, docs)
	engine.GET(apidocs.Path+"/:file", docs)
	if err := errors.Join(g.consoleRoutes(engine, c), g.portalPages(engine)); err != nil {
		return nil, err
	}
	if c.LoopbackHosts {
		return ownhost.Only(engine, g.comesFromOutside), nil
	}
	return engine, nil
}

// operation is what a route adds to its handler.
type operation struct {
	id, method, path string
	tag, scope       string
	status           int // zero: 200
	summary, text    string
	example          any        // of the body
	refuses          []api.Code // besides those that follow from the rest
	admitted         bool       // accepts or redelivers, so that it needs a place
	cost             cost       // of its tenant's quotas
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
		if b, ok := any(in).(bodied); ok {
			if err := b.take(g.schemas); err != nil {
				return nil, g.problem(ctx, err)
			}
		}
		out, err := handle(ctx, in)
		if err != nil {
			return nil, g.problem(ctx, err)
		}
		return out, nil
	})
	described := describe(to.OpenAPI().Paths[op.path], op.method)
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

// requestBody is how a body is documented.
func (op operation) requestBody(schema *huma.Schema, optional bool) *huma.RequestBody {
	content := map[string]*huma.MediaType{"application/json": {Schema: schema, Example: op.example}}
	if op.method == http.MethodPatch {
		content[mergePatch] = content["application/json"]
	}
	return &huma.RequestBody{Required: !optional, Content: content}
}

// fail answers with a problem from within a middleware.
func (g *Gateway) fail(c huma.Context, err error) {
	g.problem(c.Context(), err).Write(humagin.Unwrap(c))
}

// newEngine has what every request passes through.
func (g *Gateway) newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false // a redirected POST would lose its body
	engine.HandleMethodNotAllowed = true
	engine.Use(g.observe, g.tracing.request, g.recover)
	engine.NoRoute(noRoute)
	engine.NoMethod(noMethod)
	return engine
}

// comesFromOutside says whether a request is a third party's that came by the URL they were told,
// as through a tunnel.
func (g *Gateway) comesFromOutside(r *http.Request) bool {
	u, err := url.Parse(g.public)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && strings.HasPrefix(r.URL.Path, "/in/")
}

const forwardedFor = "X-Forwarded-For"

// trust names the proxies that are believed to say for whom they ask.
func trust(engine *gin.Engine, proxies []netip.Prefix) error {
	engine.RemoteIPHeaders = []string{forwardedFor}
	var all []string
	for _, p := range proxies {
		all = append(all, p.String())
	}
	return engine.SetTrustedProxies(all)
}

// noRoute and noMethod answer what no operation takes.
func noRoute(c *gin.Context) {
	problem.New(webhook.NotFound, "there is nothing at this path").Write(c)
}

func noMethod(c *gin.Context) {
	problem.New(api.MethodNotAllowed, "this path does not take "+methodLabel(c.Request.Method)).Write(c)
}

package gateway

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/gateway/apidocs"
	"hookloop/gateway/auth"
	"hookloop/gateway/console"
	"hookloop/gateway/observe"
	"hookloop/gateway/portal"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/internal/ownhost"
	"hookloop/internal/webhook"
)

// ingestPath is where third parties send to.
const ingestPath = "/in/:source_id"

// routes puts everything the gateway serves behind one handler.
func (g *Gateway) routes() (http.Handler, error) {
	engine := g.newEngine()
	if err := trust(engine, g.cfg.Proxies); err != nil {
		return nil, err
	}
	g.health(engine)
	if !g.cfg.OpsApart {
		engine.GET("/metrics", gin.WrapH(g.observer.Metrics()))
	}
	if g.cfg.Codec != nil {
		engine.Any("/codec/*path", gin.WrapH(g.cfg.Codec))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		engine.Handle(method, ingestPath, g.ingest.Handle)
	}

	to := humagin.New(engine, apiConfig(g.cfg.Version, g.schemas))
	g.eventRoutes(to)
	g.auditRoutes(to)
	g.erasureRoutes(to)
	g.deliveryRoutes(to)
	g.endpointRoutes(to)
	g.attemptRoutes(to)
	g.stateRoutes(to)
	g.approvalRoutes(to)
	g.recoveryRoutes(to)
	g.sourceRoutes(to)
	g.portalRoutes(to)
	document, err := schema.Document(to.OpenAPI(), tagWebhooks)
	if err != nil {
		return nil, err
	}
	engine.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", document) })
	docs := gin.WrapH(apidocs.Handler())
	engine.GET(apidocs.Path, docs)
	engine.GET(apidocs.Path+"/:file", docs)
	if err := errors.Join(g.consoleRoutes(engine), g.portalPages(engine)); err != nil {
		return nil, err
	}
	if g.cfg.LoopbackHosts {
		return ownhost.Only(engine, g.comesFromOutside), nil
	}
	return engine, nil
}

// consoleRoutes serves the pages for operators. They ask the API below them, as their readers
// could.
func (g *Gateway) consoleRoutes(engine *gin.Engine) error {
	c := g.cfg
	if c.NoConsole {
		return nil
	}
	pages, err := console.New(console.Config{
		API: engine, Verify: auth.Unconfined(g.auth), Key: c.CursorKey, Version: c.Version, UI: c.TemporalUI, Origins: c.UIOrigins, OIDC: c.OIDC,
		Now: c.Now, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	engine.Any(console.Path, gin.WrapH(pages))
	engine.Any(console.Path+"/*path", gin.WrapH(pages))
	return nil
}

// portalPages serves the pages for owners of endpoints. They ask the API below them with the link
// that opened them.
func (g *Gateway) portalPages(engine *gin.Engine) error {
	pages, err := portal.New(portal.Config{API: engine, Verify: g.auth.Verify, Settings: g.cfg.Portals.PortalSettings, Version: g.cfg.Version, Now: g.cfg.Now, Logger: g.cfg.Logger})
	if err != nil {
		return err
	}
	engine.Any(portal.Path+"/*path", gin.WrapH(pages))
	return nil
}

// newEngine has what every request passes through.
func (g *Gateway) newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false // a redirected POST would lose its body
	engine.HandleMethodNotAllowed = true
	g.observer.Watch(engine)
	engine.NoRoute(noRoute)
	engine.NoMethod(noMethod)
	return engine
}

// comesFromOutside says whether a request is a third party's that came by the URL they were told,
// as through a tunnel.
func (g *Gateway) comesFromOutside(r *http.Request) bool {
	u, err := url.Parse(g.cfg.PublicURL)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && strings.HasPrefix(r.URL.Path, "/in/")
}

// publicURL is where third parties reach the gateway: as configured, or else the address at which
// this request arrived. Its Host header may name any host.
func (g *Gateway) publicURL(r *request) string {
	if g.cfg.PublicURL != "" {
		return g.cfg.PublicURL
	}
	arrived, ok := r.gin.Request.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok { // there is no server of ours
		return ""
	}
	return "http://" + arrived.String()
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
	problem.New(api.MethodNotAllowed, "this path does not take "+observe.Method(c.Request.Method)).Write(c)
}

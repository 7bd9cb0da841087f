package gateway

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

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

// health is for balancers, which ask where the requests go, and for operators.
func (g *Gateway) health(engine *gin.Engine) {
	engine.GET("/healthz", g.healthz)
	engine.GET("/readyz", g.readyz)
}

func (g *Gateway) opsRoutes() http.Handler {
	engine := g.newEngine()
	g.health(engine)
	engine.GET("/metrics", gin.WrapH(g.metrics.handler))
	return engine
}

// comesFromOutside says whether a request is a third party's that came by the URL they were told, as through
// a tunnel.
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

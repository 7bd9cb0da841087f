package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// observe counts and logs each request once it is answered.
func (g *Gateway) observe(c *gin.Context) {
	if strings.HasPrefix(c.Request.URL.Path, "/v1/") || strings.HasPrefix(c.Request.URL.Path, "/codec") {
		c.Header("Cache-Control", "no-store") // secrets and what tenants sent, for the one who asked
	}
	start := time.Now() // not g.now: a duration needs the monotonic clock
	c.Next()
	took, status := time.Since(start), c.Writer.Status()
	route, method := routeLabel(c.FullPath()), methodLabel(c.Request.Method)
	g.metrics.request(route, method, status, took)

	level := slog.LevelDebug
	toldApart := isOverload(c.Writer.Header()) || c.FullPath() == ingestPath // by the gate, and a line a minute
	if status >= http.StatusInternalServerError && !toldApart {
		level = slog.LevelWarn
	}
	g.log.LogAttrs(c.Request.Context(), level, "request", slog.String("method", method), slog.String("route", route),
		slog.String("tenant", c.Param("tenant")), slog.Int("status", status), slog.Duration("took", took))
}

// recover turns a panic into a silent 500 and a line in the log.
func (g *Gateway) recover(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(cause) // the server's own way to break a connection off
		}
		err := fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
		if problem := g.problem(c.Request.Context(), err); !c.Writer.Written() {
			problem.write(c)
		}
	}()
	c.Next()
}

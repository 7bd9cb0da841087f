package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"
)

// readyTimeout is how long what we depend on may take to answer; load balancers ask often.
const readyTimeout = 2 * time.Second

// healthz says that the process answers, whatever becomes of the rest: restarting it would help
// nobody.
func (g *Gateway) healthz(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"status": "ok"})
}

// readyz says whether an event would be accepted now, and if not, what is missing.
func (g *Gateway) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	temporal := make(chan error, 1)
	go func() {
		_, err := g.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
		temporal <- err
	}()
	missing := g.missing("registry", g.registry.Ping(ctx), nil)
	missing = g.missing("temporal", <-temporal, missing)
	if len(missing) == 0 {
		c.JSON(http.StatusOK, gin.H{"status": "ready"})
		return
	}
	p := newProblem(Unavailable, "cannot be reached: "+strings.Join(missing, ", "))
	for _, name := range missing {
		p.Errors = append(p.Errors, FieldError{Field: name, Message: "cannot be reached"})
	}
	p.write(c)
}

func (g *Gateway) missing(name string, err error, others []string) []string {
	if err == nil {
		return others
	}
	g.log.Warn("not ready", slog.String("missing", name), slog.Any("error", err))
	return append(others, name)
}

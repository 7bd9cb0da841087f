package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
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
	go func() { temporal <- g.events.Reachable(ctx) }()
	missing := g.missing("registry", unreached, g.registry.Ping(ctx), nil)
	if err := <-temporal; err != nil {
		missing = g.missing("temporal", unreached, err, missing)
	} else {
		missing = g.missing("temporal", "takes no events", g.events.Refused(), missing)
	}
	if len(missing) == 0 {
		c.JSON(http.StatusOK, gin.H{"status": "ready"})
		return
	}
	var all []string
	for _, m := range missing {
		all = append(all, m.Field+" "+m.Message)
	}
	p := newProblem(Unavailable, strings.Join(all, ", "))
	p.Errors = missing
	p.write(c)
}

const unreached = "cannot be reached"

func (g *Gateway) missing(name, what string, err error, others []FieldError) []FieldError {
	if err == nil {
		return others
	}
	g.log.Warn("not ready", slog.String("missing", name), slog.Any("error", err))
	return append(others, FieldError{Field: name, Message: what})
}

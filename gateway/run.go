package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/gateway/problem"
)

// Bounds of one connection. A slow client cannot hold one open; the longest answer, an event with a
// thousand deliveries, has to fit.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10 // a token that names many tenants is long
	drainTimeout      = 20 * time.Second
)

// Run serves on l until ctx ends, then takes no more requests and waits up to 20 s for those under
// way. It answers nil if all of them got their answer.
func (g *Gateway) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           g.handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(g.cfg.Logger.Handler(), slog.LevelDebug), // clients' broken connections
	}
	noting, drained := context.WithCancel(context.WithoutCancel(ctx))
	var writer sync.WaitGroup
	writer.Go(func() { g.ingest.Run(noting) })
	defer writer.Wait()
	defer drained()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("gateway on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	return g.drain(ctx, srv, served)
}

func (g *Gateway) drain(ctx context.Context, srv *http.Server, served <-chan error) error {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := srv.Shutdown(patience)
	if err != nil {
		_ = srv.Close() // those still under way have had their time
		err = fmt.Errorf("gateway drains: %w", err)
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// health is for balancers, which ask where the requests go, and for operators.
func (g *Gateway) health(engine *gin.Engine) {
	engine.GET("/healthz", g.healthz)
	engine.GET("/readyz", g.readyz)
}

func (g *Gateway) opsRoutes() http.Handler {
	engine := g.newEngine()
	g.health(engine)
	engine.GET("/metrics", gin.WrapH(g.observer.Metrics()))
	return engine
}

// readyTimeout is how long what we depend on may take to answer; load balancers ask often.
const readyTimeout = 2 * time.Second

// healthz says that the process answers. It looks at nothing else: a restart would not mend that.
func (g *Gateway) healthz(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"status": "ok"})
}

// readyz says whether an event would be accepted now, and if not, what is missing.
func (g *Gateway) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	temporal := make(chan error, 1)
	go func() { temporal <- g.cfg.Events.Reachable(ctx) }()
	missing := g.missing("registry", unreached, g.cfg.Registry.Ping(ctx), nil)
	if err := <-temporal; err != nil {
		missing = g.missing("temporal", unreached, err, missing)
	} else {
		missing = g.missing("temporal", "takes no events", g.cfg.Events.Refused(), missing)
	}
	if len(missing) == 0 {
		c.JSON(http.StatusOK, gin.H{"status": "ready"})
		return
	}
	var all []string
	for _, m := range missing {
		all = append(all, m.Field+" "+m.Message)
	}
	p := problem.New(api.Unavailable, strings.Join(all, ", "))
	p.Errors = missing
	p.Write(c)
}

const unreached = "cannot be reached"

func (g *Gateway) missing(name, what string, err error, others []api.FieldError) []api.FieldError {
	if err == nil {
		return others
	}
	g.cfg.Logger.Warn("not ready", slog.String("missing", name), slog.Any("error", err))
	return append(others, api.FieldError{Field: name, Message: what})
}

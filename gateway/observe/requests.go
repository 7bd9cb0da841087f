// Package observe is what can be seen of requests from outside of them: metrics, spans, lines in
// the log. It decides nothing about a request, and keeps what tenants and third parties wrote out
// of all three. The gateway puts every request through it.
package observe

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"hookloop/gateway/problem"
)

// Config is what an observer is made of.
type Config struct {
	Metrics *prometheus.Registry // required
	Tracer  trace.Tracer         // nil: no spans are made, and no event is traced
	Logger  *slog.Logger         // required
}

// Observer sees requests.
type Observer struct {
	Counters

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	metrics  http.Handler
	tracer   trace.Tracer
	log      *slog.Logger
}

// Watch puts an engine's requests through the observer, before anything else has them.
func (o *Observer) Watch(engine *gin.Engine) { engine.Use(o.count, o.trace, o.recover) }

// Metrics serves them as Prometheus reads them.
func (o *Observer) Metrics() http.Handler { return o.metrics }

// count counts and logs each request once it is answered.
func (o *Observer) count(c *gin.Context) {
	if strings.HasPrefix(c.Request.URL.Path, "/v1/") || strings.HasPrefix(c.Request.URL.Path, "/codec") {
		c.Header("Cache-Control", "no-store") // secrets and what tenants sent, for the one who asked
	}
	start := time.Now() // not Now: a duration needs the monotonic clock
	c.Next()
	took, status := time.Since(start), c.Writer.Status()
	route := cmp.Or(c.FullPath(), "none") // all that match none share one, or a scanner would fill the registry
	method := Method(c.Request.Method)
	o.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	o.duration.WithLabelValues(route, method).Observe(took.Seconds())

	level := slog.LevelDebug
	toldApart := problem.IsLimit(c.Writer.Header()) || strings.HasPrefix(c.FullPath(), ingestRoute) // by the gate, and a line a minute
	if status >= http.StatusInternalServerError && !toldApart {
		level = slog.LevelWarn
	}
	o.log.LogAttrs(c.Request.Context(), level, "request", slog.String("method", method), slog.String("route", route),
		slog.String("tenant", c.Param("tenant")), slog.Int("status", status), slog.Duration("took", took))
}

// recover turns a panic into a silent 500 and a line in the log.
func (o *Observer) recover(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(cause) // the server's own way to break a connection off
		}
		err := fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
		if p := problem.Of(c.Request.Context(), err, o.log); !c.Writer.Written() {
			p.Write(c)
		}
	}()
	c.Next()
}

var errPanic = errors.New("panic")

// Method passes on the methods of HTTP and nothing else a client may have made up.
func Method(method string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if slices.Contains(known, method) {
		return method
	}
	return "OTHER"
}

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

// TokenVerifier says who a bearer token speaks for. A token that proves nothing is an
// api.Unauthenticated error whose message says why and never quotes the token.
type TokenVerifier interface {
	Verify(ctx context.Context, token string) (auth.Principal, error)
}

// requires is the middleware of an operation that needs a scope. It runs before anything of the
// request but its head is read: strangers learn nothing and cost nothing.
func (g *Gateway) requires(scope, operation string) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who, err := g.authorize(c, scope)
		if err == nil && who.IsConfined() {
			err = g.confine(c, operation, who)
		}
		if err != nil {
			g.fail(c, err)
			return
		}
		ctx := context.WithValue(c.Context(), principalKey{}, who)
		next(huma.WithContext(c, webhook.WithActor(ctx, webhook.Actor{Name: who.Subject, Via: webhook.ViaAPI})))
	}
}

func (g *Gateway) authorize(c huma.Context, scope string) (auth.Principal, error) {
	token, err := auth.Bearer(c.Header("Authorization"))
	if err != nil {
		return auth.Principal{}, err
	}
	who, err := g.auth.Verify(c.Context(), token)
	if err != nil {
		return auth.Principal{}, err
	}
	tenant := c.Param("tenant")
	if err := who.Allow(tenant, scope); err != nil {
		return auth.Principal{}, err
	}
	return who, webhook.CheckTenant(tenant)
}

// principalKey is where a request's context keeps its Principal.
type principalKey struct{}

// subject names who asks, for the history.
func subject(ctx context.Context) string {
	who, _ := ctx.Value(principalKey{}).(auth.Principal)
	return who.Subject
}

// holds says whether the token of a request has a scope.
func holds(ctx context.Context, scope string) bool {
	who, _ := ctx.Value(principalKey{}).(auth.Principal)
	return who.Holds(scope)
}

// CodecAccess says who may have payloads of histories decrypted, and refuses all others. A
// payload does not tell whose it is: it takes the scope, and every tenant.
func CodecAccess(v TokenVerifier) (authorize func(*http.Request) error, refuse func(http.ResponseWriter, *http.Request, error)) {
	authorize = func(r *http.Request) error {
		token, err := auth.Bearer(r.Header.Get("Authorization"))
		if err != nil {
			return err
		}
		who, err := v.Verify(r.Context(), token)
		if err != nil {
			return err
		}
		if !who.EveryTenant() {
			return webhook.Errorf(api.WrongTenant, "the token does not speak for every tenant, and a payload may belong to any of them")
		}
		return who.Allow(api.EveryTenant, api.AuditRead)
	}
	return authorize, refuseWith
}

// CodecReads notes who has payloads of histories decrypted. They may be any tenant's: the line is
// in the audit of each.
func CodecReads(v TokenVerifier, log interface {
	Record(ctx context.Context, tenant string, l webhook.AuditLine) error
},
) func(r *http.Request, payloads int) error {
	return func(r *http.Request, payloads int) error {
		token, err := auth.Bearer(r.Header.Get("Authorization"))
		if err != nil {
			return err
		}
		who, err := v.Verify(r.Context(), token)
		if err != nil {
			return err
		}
		ctx := webhook.WithActor(r.Context(), webhook.Actor{Name: who.Subject, Via: webhook.ViaAPI})
		return log.Record(ctx, webhook.EveryTenant, webhook.AuditLine{
			Kind: webhook.AuditPayloadRead, Detail: fmt.Sprintf("%d payloads of histories decrypted", payloads),
		})
	}
}

// refuseWith answers with a problem where there is no gin.
func refuseWith(w http.ResponseWriter, _ *http.Request, err error) {
	p := problem.New(api.Internal, "something went wrong on our side")
	if said, ok := errors.AsType[*webhook.Error](err); ok {
		p = problem.New(said.Code, said.Error())
	}
	maps.Copy(w.Header(), p.Header())
	w.Header().Set("Content-Type", api.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

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
	toldApart := problem.IsLimit(c.Writer.Header()) || c.FullPath() == ingestPath // by the gate, and a line a minute
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
		if p := g.problem(c.Request.Context(), err); !c.Writer.Written() {
			p.Write(c)
		}
	}()
	c.Next()
}

// metrics are labelled by route, never by tenant or id: their number is fixed.
type metrics struct {
	accepted  prometheus.Counter
	unmatched prometheus.Counter
	ingested  *prometheus.CounterVec
	items     *prometheus.CounterVec
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	handler   http.Handler
}

func newMetrics(r *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookloop_events_accepted_total", Help: "Events Temporal has taken; repeats of an Idempotency-Key are not counted.",
		}),
		unmatched: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookloop_events_unmatched_total", Help: "Of the accepted events, those that no endpoint wants.",
		}),
		ingested: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_ingest_requests_total", Help: "Requests of third parties, by what became of them.",
		}, []string{"provider", "outcome"}),
		items: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_ingest_events_total", Help: "Events in requests of third parties: accepted, accepted before, or an echo of our own.",
		}, []string{"provider", "outcome"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookloop_http_requests_total", Help: "Requests the gateway answered.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookloop_http_request_duration_seconds", Help: "From the request's head to the end of the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method"}),
		handler: promhttp.HandlerFor(r, promhttp.HandlerOpts{}),
	}
	for _, c := range []prometheus.Collector{m.accepted, m.unmatched, m.ingested, m.items, m.requests, m.duration} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("gateway: metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) request(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route, method).Observe(took.Seconds())
}

// routeLabel names a route; all that match none share one, or a scanner would fill the registry.
func routeLabel(template string) string {
	if template == "" {
		return "none"
	}
	return template
}

// methodLabel passes on the methods of HTTP and nothing else a client may have made up.
func methodLabel(method string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if slices.Contains(known, method) {
		return method
	}
	return "OTHER"
}

var errPanic = errors.New("panic")

// problem makes what the client may read of err, and logs what it may not.
func (g *Gateway) problem(ctx context.Context, err error) *problem.Problem {
	return problem.Of(ctx, err, g.log)
}

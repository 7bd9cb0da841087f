package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/internal/audit"
	"hookloop/internal/bodies"
	"hookloop/internal/echo"
	"hookloop/internal/erasure"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

var hmacKey = []byte("0123456789abcdef0123456789abcdef")

// rig is a gateway over fakes, and a token that may do everything.
type rig struct {
	t         testing.TB
	handler   http.Handler
	gateway   *gateway.Gateway
	temporal  *orchestratortest.Temporal
	registry  *fakeRegistry
	sources   *fakeSources
	approvals *fakeApprovals
	attempts  *fakeAttempts
	portals   *fakePortals
	log       *bytes.Buffer
	token     string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigWith(t, func(*gateway.Config) {})
}

func newRigWith(t testing.TB, change func(*gateway.Config)) *rig {
	t.Helper()
	return newRigOver(t, func(*behind) {}, change)
}

// behind is what the orchestrator speaks to.
type behind struct {
	temporal orchestrator.Client
	bodies   orchestrator.Bodies
}

func newRigOver(t testing.TB, replace func(*behind), change func(*gateway.Config)) *rig {
	t.Helper()
	tokens, err := auth.New(auth.Config{Secret: hmacKey, Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	r := &rig{t: t, temporal: orchestratortest.New(), registry: newFakeRegistry(), approvals: &fakeApprovals{}, log: &bytes.Buffer{}}
	r.sources = newFakeSources(t, r.registry)
	r.attempts, r.portals = &fakeAttempts{fakeRegistry: r.registry}, &fakePortals{}
	providers, err := source.New(source.Config{Fetch: noFetcher{}})
	require.NoError(t, err)
	echoes, err := echo.New(echo.Config{Store: r.sources, Expressions: expressions})
	require.NoError(t, err)
	large, err := bodies.New(r.sources, converter.GetDefaultDataConverter())
	require.NoError(t, err)
	to := behind{temporal: r.temporal, bodies: large}
	replace(&to)
	temporal, err := orchestrator.New(orchestrator.Config{Client: to.temporal})
	require.NoError(t, err)
	var c gateway.Config
	c = gateway.Config{
		LargeItems: true, Sources: r.sources, Providers: providers, Echoes: echoes, Expressions: expressions,
		Registry: r.registry, Recoveries: temporal.Recoveries(), Auth: tokens, Version: "test",
		Redeliveries: temporal.Redeliveries(r.registry), Approvals: r.approvals,
		Attempts: r.attempts, Waiting: temporal.Waiting(), Portals: r.portals,
		Events: temporal.Events(orchestrator.EventsConfig{
			Bodies: to.bodies, Registry: r.registry, Now: func() time.Time { return c.Now() },
		}), Now: time.Now,
		Audits: audit.New(temporal.Histories(), nil, nil), ResumeWait: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	c.Erasures, err = erasure.New(erasure.Config{Temporal: temporal.Erasures(), Events: c.Events, Registry: r.sources, Now: func() time.Time { return c.Now() }})
	require.NoError(t, err)
	change(&c)
	r.gateway, err = gateway.New(c)
	require.NoError(t, err)
	r.handler = r.gateway.Handler()
	r.token = sign(t, everything())
	return r
}

func everything() jwt.MapClaims {
	return jwt.MapClaims{
		"exp": time.Now().Add(time.Hour).Unix(), "iss": "hookloop", "aud": "hookloop", "sub": "tester",
		"tenants": []string{"*"}, "scope": "events:read events:write endpoints:read endpoints:write approvals:read approvals:write sources:read sources:write audit:erase audit:hold",
	}
}

func sign(t testing.TB, c jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(hmacKey)
	require.NoError(t, err)
	return s
}

// do sends a request below /v1/tenants/acme, or to a path of its own if it begins with "=".
func (r *rig) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	own, ok := strings.CutPrefix(path, "=")
	if !ok {
		own = "/v1/tenants/acme" + path
	}
	req := httptest.NewRequestWithContext(r.t.Context(), method, own, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+r.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if req.Header.Del(header[i]); header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// read decodes an answer and requires its status.
func read[T any](t testing.TB, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// refused requires a problem with this status and code, and gives it.
func refused(t testing.TB, w *httptest.ResponseRecorder, status int, code webhook.Code) api.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), w.Body.String())
	p := read[api.Problem](t, w, status)
	require.Equal(t, code, p.Code, p.Detail)
	require.Equal(t, status, p.Status)
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.Detail)
	return p
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	var c gateway.Config
	r := newRigWith(t, func(whole *gateway.Config) { c = *whole })
	require.NotNil(t, r)
	for name, leave := range map[string]func(*gateway.Config){
		"Registry":     func(c *gateway.Config) { c.Registry = nil },
		"Events":       func(c *gateway.Config) { c.Events = nil },
		"Recoveries":   func(c *gateway.Config) { c.Recoveries = nil },
		"Redeliveries": func(c *gateway.Config) { c.Redeliveries = nil },
		"Approvals":    func(c *gateway.Config) { c.Approvals = nil },
		"Auth":         func(c *gateway.Config) { c.Auth = nil },
		"Attempts":     func(c *gateway.Config) { c.Attempts = nil },
		"Waiting":      func(c *gateway.Config) { c.Waiting = nil },
		"Portals":      func(c *gateway.Config) { c.Portals = nil },
		"Sources":      func(c *gateway.Config) { c.Sources = nil },
		"Providers":    func(c *gateway.Config) { c.Providers = nil },
		"Echoes":       func(c *gateway.Config) { c.Echoes = nil },
	} {
		lacking := c
		leave(&lacking)
		_, err := gateway.New(lacking)
		require.EqualError(t, err, "gateway: "+name+" is missing")
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	refused(t, r.do("GET", "=/nothing/here", ""), 404, webhook.NotFound)
	refused(t, r.do("GET", "/events/", ""), 404, webhook.NotFound)
	w := r.do("PUT", "/events", "{}")
	refused(t, w, 405, api.MethodNotAllowed)
	require.Contains(t, w.Header().Get("Allow"), "POST")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, 200, r.do("GET", "=/healthz", "").Code)
	require.Equal(t, 200, r.do("GET", "=/readyz", "").Code)

	r.registry.down = errors.New("disk on fire")
	p := refused(t, r.do("GET", "=/readyz", ""), 503, api.Unavailable)
	require.Equal(t, "registry", p.Errors[0].Field)
	require.NotContains(t, p.Detail, "fire")
	require.Equal(t, 200, r.do("GET", "=/healthz", "").Code)

	r.registry.down, r.temporal.Down = nil, errors.New("gone")
	p = refused(t, r.do("GET", "=/readyz", ""), 503, api.Unavailable)
	require.Equal(t, "temporal", p.Errors[0].Field)
}

func TestMetricsNameRoutesNotTenants(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.do("POST", "/events", `{"type":"a.b","data":1}`)
	r.do("GET", "=/v1/nobody/knows", "")
	body := r.do("GET", "=/metrics", "").Body.String()
	require.Contains(t, body, "hookloop_events_accepted_total 1")
	require.Contains(t, body, `hookloop_http_requests_total{code="202",method="POST",route="/v1/tenants/:tenant/events"} 1`)
	require.Contains(t, body, `hookloop_http_requests_total{code="404",method="GET",route="none"} 1`)
	require.NotContains(t, body, "acme")
}

func TestPanicIsASilent500(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.Auth = panics{} })
	p := refused(t, r.do("GET", "/endpoints", ""), 500, api.Internal)
	require.NotContains(t, p.Detail, "boom")
	require.Contains(t, r.log.String(), "boom")
}

type panics struct{}

func (panics) Verify(context.Context, string) (auth.Principal, error) { panic("boom") }

func TestErrorWithoutACodeIsASilent500(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.temporal.Down = errors.New("secret detail")
	p := refused(t, r.do("POST", "/events", `{"type":"a.b","data":1}`), 500, api.Internal)
	require.NotContains(t, p.Detail, "secret")
	require.Contains(t, r.log.String(), "secret detail")
}

func TestRunDrains(t *testing.T) {
	t.Parallel()
	held, release := make(chan struct{}), make(chan struct{})
	r := newRigWith(t, func(c *gateway.Config) { c.Auth = blocks{held, release} })
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.gateway.Run(ctx, l) }()

	status := make(chan int, 1)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/v1/tenants/acme/endpoints", http.NoBody)
		req.Header.Set("Authorization", "Bearer x")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			status <- 0
			return
		}
		_ = res.Body.Close()
		status <- res.StatusCode
	}()
	<-held
	stop()
	close(release)
	require.Equal(t, 200, <-status)
	require.NoError(t, <-ended)
}

// blocks holds a request until it is released.
type blocks struct{ held, release chan struct{} }

func (b blocks) Verify(context.Context, string) (auth.Principal, error) {
	close(b.held)
	<-b.release
	return auth.Principal{Tenants: []string{"*"}, Scopes: []string{api.EndpointsRead}}, nil
}

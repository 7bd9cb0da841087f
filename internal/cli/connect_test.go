package cli

import (
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

const noEndpoints = `{"data":[],"next_cursor":null}`

func TestRequestsCarryTheToken(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints": {{body: noEndpoints}}})
	g.run(t, "endpoint", "list").ok(t)
	require.Equal(t, "Bearer "+standInToken, g.last(t).header.Get("Authorization"))
	require.Equal(t, "/v1/tenants/demo/endpoints?limit=50", g.last(t).uri)
}

// Not parallel: the environment is the process's.
func TestFlagsBeforeEnvironmentBeforeDevFile(t *testing.T) {
	g := newStandIn(t, map[string][]canned{
		"GET /v1/tenants/demo/endpoints":     {{body: noEndpoints}},
		"GET /v1/tenants/of-env/endpoints":   {{body: noEndpoints}},
		"GET /v1/tenants/of%2Fflg/endpoints": {{body: noEndpoints}},
	})
	t.Setenv("HOOKLOOP_TENANT", "of-env")
	t.Setenv("HOOKLOOP_TOKEN", "token-of-env")
	g.run(t, "endpoint", "list").ok(t)
	require.Equal(t, "Bearer token-of-env", g.last(t).header.Get("Authorization"))
	require.Contains(t, g.last(t).uri, "/of-env/")

	g.run(t, "endpoint", "list", "--tenant", "of/flg", "--token", "token-of-flag").ok(t)
	require.Equal(t, "Bearer token-of-flag", g.last(t).header.Get("Authorization"))
	require.Contains(t, g.last(t).uri, "/of%2Fflg/")

	t.Setenv("HOOKLOOP_GATEWAY", g.URL+"/")
	hookloop(t, "endpoint", "list", "--data", filepath.Join(t.TempDir(), "none")).ok(t)
}

// Not parallel: the folder is the process's. A gateway that is named alone lacks its tenant and its
// token, and no file of another.
func TestAGatewayAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	line := hookloop(t, "endpoint", "list", "--gateway", "http://127.0.0.1:9").fails(t, 1)
	require.Contains(t, line, "no tenant for http://127.0.0.1:9")
	line = hookloop(t, "endpoint", "list", "--gateway", "http://127.0.0.1:9", "--tenant", "acme").fails(t, 1)
	require.Contains(t, line, "no token for http://127.0.0.1:9")
	line = hookloop(t, "endpoint", "list", "--gateway", "http://127.0.0.1:9", "--data-dir", "elsewhere").fails(t, 1)
	require.Contains(t, line, "elsewhere/dev.json")
	require.Contains(t, hookloop(t, "endpoint", "list").fails(t, 1), "dev.json")
}

// TestErrorsAreJSONToo: where JSON is asked for, the gateway's problem as it came, and our own like
// one.
func TestErrorsAreJSONToo(t *testing.T) {
	t.Parallel()
	const problem = `{"type":"about:blank","title":"Not Found","status":404,"detail":"there is no such event","code":"not_found"}`
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/events/evt_1": {{
		status: 404, body: problem, header: http.Header{"Content-Type": {"application/problem+json"}},
	}}})
	r := g.run(t, "event", "get", "evt_1", "--json")
	require.Equal(t, 1, r.code)
	require.JSONEq(t, problem, r.stderr)
	require.Empty(t, r.stdout)
	require.Contains(t, g.run(t, "event", "get", "evt_1").fails(t, 1), "there is no such event (not_found, HTTP 404)")
	r = g.run(t, "event", "get", "--json")
	require.Equal(t, 2, r.code)
	require.JSONEq(t, `{"detail":"hookloop event get needs the id of an event; see hookloop event get --help"}`, r.stderr)
}

// Not parallel: the environment is the process's. Inside a container that runs a gateway its
// settings are enough: that gateway, and a token that its secret signs.
func TestTheGatewayOfThisEnvironment(t *testing.T) {
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/acme/endpoints": {{body: noEndpoints}}})
	other := newStandIn(t, nil)
	t.Setenv("HOOKLOOP_LISTEN", "0.0.0.0:"+portOf(t, g.URL))
	t.Setenv("HOOKLOOP_REGISTRY", "postgres://db/hookloop")
	t.Setenv("HOOKLOOP_TENANT", "acme")
	line := hookloop(t, "endpoint", "list").fails(t, 1)
	require.Contains(t, line, "dev.json", "an environment without a key for tokens is no gateway's")

	t.Setenv("HOOKLOOP_JWT_SECRET", strings.Repeat("s", 32))
	hookloop(t, "endpoint", "list").ok(t)
	bearer, _ := strings.CutPrefix(g.last(t).header.Get("Authorization"), "Bearer ")
	token, err := jwt.Parse(bearer, func(*jwt.Token) (any, error) { return []byte(strings.Repeat("s", 32)), nil })
	require.NoError(t, err)
	require.Equal(t, []any{"*"}, token.Claims.(jwt.MapClaims)["tenants"])

	line = hookloop(t, "endpoint", "list", "--gateway", other.URL).fails(t, 1)
	require.Contains(t, line, "no token for "+other.URL)
	require.Empty(t, other.requests)

	t.Setenv("HOOKLOOP_LISTEN", "")
	t.Setenv("HOOKLOOP_REGISTRY", "")
	t.Setenv("HOOKLOOP_GATEWAY", g.URL+"/")
	hookloop(t, "endpoint", "list").ok(t)

	t.Setenv("HOOKLOOP_JWT_SECRET", "short")
	line = hookloop(t, "endpoint", "list").fails(t, 1)
	require.Contains(t, line, "HOOKLOOP_JWT_SECRET has 5 bytes")
}

func portOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Port()
}

func TestATokenIsNotSentToAnotherGateway(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	other := newStandIn(t, nil)
	line := g.run(t, "event", "list", "--gateway", other.URL, "--tenant", "demo").fails(t, 1)
	require.Equal(t, "no token for "+other.URL+": give --token or set HOOKLOOP_TOKEN", line)
	require.Empty(t, other.requests)

	line = g.run(t, "event", "list", "--gateway", other.URL, "--token", "t").fails(t, 1)
	require.Contains(t, line, "no tenant for "+other.URL)
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	other := newStandIn(t, nil)
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1": {
		{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {other.URL}}},
	}})
	line := g.run(t, "endpoint", "get", "ep_1").fails(t, 1)
	require.Equal(t, g.URL+" answered HTTP 307 without saying why; is it a Hookloop gateway?", line)
	require.Empty(t, other.requests)
}

func TestNoGateway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	line := hookloop(t, "event", "list", "--gateway", url, "--tenant", "demo", "--token", "secret-token").fails(t, 1)
	require.Equal(t, "no gateway at "+url+": is `hookloop dev` running?", line)
}

func TestNoDevFile(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "none")
	line := hookloop(t, "event", "list", "--data", data).fails(t, 1)
	require.Contains(t, line, "start `hookloop dev` first")
}

func TestBadGateways(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"ftp://h", "127.0.0.1:8080", "http://", "http://u:p4ssw0rd@h", "http://h?q=1", "http://h#f", "http://h:x",
	} {
		r := hookloop(t, "event", "list", "--gateway", url, "--tenant", "t", "--token", "x")
		line := r.fails(t, 1)
		require.Contains(t, line, "gateway")
		require.NotContains(t, line, "p4ssw0rd")
	}
}

func TestProblemsAreOneLine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ answer, line string }{
		"one field": {
			`{"code":"invalid_field","detail":"url is required","errors":[{"field":"url","message":"is required"}]}`,
			"url is required (invalid_field, HTTP 422)",
		},
		"more fields": {
			`{"code":"invalid_field","detail":"limit: too big","errors":[{"field":"limit","message":"too big"},{"field":"after","message":"no time"}]}`,
			"limit: too big (invalid_field, HTTP 422): after no time",
		},
		"control characters": {
			`{"code":"conflict","detail":"a\u001b[31m\nb"}`,
			`a\u001b[31m\u000ab (conflict, HTTP 422)`,
		},
		"no problem": {`<html>`, "without saying why"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{
				"GET /v1/tenants/demo/endpoints/ep_1": {{status: http.StatusUnprocessableEntity, body: tt.answer}},
			})
			line := g.run(t, "endpoint", "get", "ep_1").fails(t, 1)
			require.Contains(t, line, tt.line)
			require.NotContains(t, line, standInToken)
		})
	}
}

func TestAnAnswerThatIsNotUnderstood(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1": {{body: `{"url":1}`}, {body: `nonsense`}}})
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1").fails(t, 1), "not understood")
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1", "--json").fails(t, 1), "not JSON")
}

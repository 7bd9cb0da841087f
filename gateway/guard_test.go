package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/gateway"
	"hookloop/internal/webhook"
)

// TestNoStore: what the API answers, secrets above all, stays in no cache.
func TestNoStore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ep := r.endpoint(`{"url":"https://example.com"}`)
	r.source(githubSource)
	for _, path := range []string{"/endpoints/" + ep + "/secret", "/endpoints/" + ep, "/sources", "=/v1/nobody/knows"} {
		require.Equal(t, "no-store", r.do("GET", path, "").Header().Get("Cache-Control"), path)
	}
	require.Equal(t, "no-store", r.do("POST", "/endpoints/"+ep+"/secret/rotate", "{}").Header().Get("Cache-Control"))
	require.Empty(t, r.do("GET", "=/openapi.json", "").Header().Get("Cache-Control"))
}

// TestForgedCursor: only a place that a gateway gave out reaches Temporal, in the words of any of
// them.
func TestForgedCursor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	list, place := "endpoints acme", []byte("ep_1")
	sum := sha256.Sum256(append([]byte(list+"\n"), place...))
	for _, size := range []int{8, 16} {
		forged := base64.RawURLEncoding.EncodeToString(append(sum[:size:size], place...))
		refused(t, r.do("GET", "/endpoints?cursor="+forged, ""), 422, webhook.Invalid)
	}
}

// TestCursorsOfAllGateways: with one key they are good at each.
func TestCursorsOfAllGateways(t *testing.T) {
	t.Parallel()
	first := newRigWith(t, func(c *gateway.Config) { c.CursorKey = []byte("k") })
	second := newRigWith(t, func(c *gateway.Config) { c.CursorKey = []byte("k") })
	third := newRig(t)
	for range 2 {
		first.endpoint(`{"url":"https://example.com"}`)
	}
	page := read[struct {
		Next string `json:"next_cursor"`
	}](t, first.do("GET", "/endpoints?limit=1", ""), 200)
	require.Equal(t, 200, second.do("GET", "/endpoints?limit=1&cursor="+page.Next, "").Code)
	require.Equal(t, 422, third.do("GET", "/endpoints?limit=1&cursor="+page.Next, "").Code)
}

// TestOpsApart: with an address of their own, metrics are nowhere else.
func TestOpsApart(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.OpsApart = true })
	ops := func(path string) int {
		w := httptest.NewRecorder()
		r.gateway.Ops().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		return w.Code
	}
	for path, both := range map[string][2]int{"/metrics": {404, 200}, "/readyz": {200, 200}, "/healthz": {200, 200}, "/openapi.json": {200, 404}} {
		got := [2]int{r.do("GET", "="+path, "").Code, ops(path)}
		require.Equal(t, both, got, path)
	}
}

// TestLoopbackHosts: a web page under another name gets nothing, and a third party what is for it.
func TestLoopbackHosts(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) {
		c.LoopbackHosts, c.PublicURL = true, "https://tunnel.example"
	})
	ask := func(host, path string) int {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		req.Host = host
		req.Header.Set("Authorization", "Bearer "+r.token)
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		return w.Code
	}
	for _, path := range []string{"/metrics", "/v1/tenants/acme/endpoints", "/openapi.json", "/in/x"} {
		require.NotEqual(t, 403, ask("127.0.0.1:8080", path), path)
		require.NotEqual(t, 403, ask("localhost:8080", path), path)
		require.Equal(t, 403, ask("evil.example:8080", path), path)
	}
	require.Equal(t, 401, ask("tunnel.example", "/in/x"))
	require.Equal(t, 403, ask("tunnel.example", "/v1/tenants/acme/endpoints"))
}

// TestIngestURLIgnoresTheHostHeader: it is where the request arrived, whatever it says.
func TestIngestURLIgnoresTheHostHeader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 8080}
	ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, at)
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/tenants/acme/sources/"+id, http.NoBody)
	req.Host = "evil.example"
	req.Header.Set("Authorization", "Bearer "+r.token)
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	require.Equal(t, "http://192.0.2.7:8080/in/"+id, read[sourceView](t, w, 200).IngestURL)
	require.NotContains(t, w.Body.String(), "evil")
}

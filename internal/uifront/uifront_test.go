package uifront_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/uifront"
)

// TestNoOtherMethod: the UI's gateway to gRPC makes another method of a POST that asks for it
// (CVE-2026-37236).
func TestNoOtherMethod(t *testing.T) {
	t.Parallel()
	var got http.Header
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	t.Cleanup(upstream.Close)
	u, err := url.Parse(upstream.URL)
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/x", http.NoBody)
	for _, name := range []string{"X-HTTP-Method-Override", "x-http-method", "X-Method-Override", "X-Kept"} {
		r.Header.Set(name, http.MethodDelete)
	}
	uifront.New(uifront.Config{UI: u}).ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, http.MethodDelete, got.Get("X-Kept"))
	for name := range got {
		require.NotContains(t, name, "Method")
	}
}

// TestScript: the index page gets one script, which its policy names; nothing else changes.
func TestScript(t *testing.T) {
	t.Parallel()
	const policy = `<meta http-equiv="content-security-policy" content="script-src 'self'">`
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<head>"+policy+"</head><body>"+r.Host+"</body>")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"a":"<body>"}`)
	}))
	t.Cleanup(upstream.Close)
	u, err := url.Parse(upstream.URL)
	require.NoError(t, err)
	get := func(c uifront.Config, path string) string {
		c.UI = u
		w := httptest.NewRecorder()
		uifront.New(c).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:8233"+path, http.NoBody))
		require.Equal(t, http.StatusOK, w.Code)
		return w.Body.String()
	}
	require.JSONEq(t, `{"a":"<body>"}`, get(uifront.Config{}, "/api"))
	without := get(uifront.Config{Namespace: "hookloop", Columns: []string{"Endpoint"}}, "/")
	require.Contains(t, without, `{"label":"Endpoint"}`)
	require.NotContains(t, without, "sandbox")
	page := get(uifront.Config{Panel: "http://localhost:8080/console/panel"}, "/")
	script := regexp.MustCompile(`(?s)<body><script>(.*)</script>localhost:8233</body>`).FindStringSubmatch(page)
	require.NotNil(t, script, page)
	require.Contains(t, script[1], `"http://localhost:8080/console/panel?workflow="`)
	sum := sha256.Sum256([]byte(script[1]))
	require.Contains(t, page, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"' 'self'")
}

// TestBrowsersKeepHashedFiles, and ask again for everything else.
func TestBrowsersKeepHashedFiles(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "_csrf=1")
		w.Header().Set("Vary", "Cookie")
		kind, status := "text/javascript", http.StatusOK
		switch r.URL.Path {
		case "/_app/immutable/page": // the UI answers its index page for what it does not have
			kind = "text/html"
		case "/_app/immutable/gone.js":
			status = http.StatusNotFound
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, r.Header.Get("Accept-Encoding"))
	}))
	t.Cleanup(upstream.Close)
	u, err := url.Parse(upstream.URL)
	require.NoError(t, err)
	for path, kept := range map[string]bool{
		"/_app/immutable/chunks/a.b1c2.js": true, "/ui/_app/immutable/a.css": true,
		"/_app/version.json": false, "/_app/immutable/page": false, "/_app/immutable/gone.js": false, "/api/v1/settings": false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, http.NoBody)
		r.Header.Set("Accept-Encoding", "br")
		w := httptest.NewRecorder()
		uifront.New(uifront.Config{UI: u}).ServeHTTP(w, r)
		if !kept {
			require.Empty(t, w.Header().Get("Cache-Control"), path)
			require.Equal(t, "Cookie", w.Header().Get("Vary"), path)
			continue
		}
		require.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"), path)
		require.Equal(t, "Accept-Encoding", w.Header().Get("Vary"), path)
		require.Empty(t, w.Header().Get("Set-Cookie"), path)
		require.Equal(t, "br", w.Body.String(), "it may come zipped")
	}
}

package ownhost_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/ownhost"
)

func TestIsOwn(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:8080", "127.8.9.1:1", "[::1]:8080", "[::1]", "::1", "[::ffff:127.0.0.1]:80"} {
		require.True(t, ownhost.IsOwn(host), host)
	}
	for _, host := range []string{
		"", ":8080", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "evil.localhost.", "0.0.0.0:8080", "10.0.0.1", "[::]:8080",
		"127.1", "2130706433", "0x7f.1", "localhost@evil.example", "[fe80::1%lo]:80", "127.0.0.1:80:80",
	} {
		require.False(t, ownhost.IsOwn(host), host)
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	h := ownhost.Only(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(r *http.Request) bool { return r.URL.Path == "/open" })
	code := func(host, path string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, 200, code("127.0.0.1:80", "/"))
	require.Equal(t, 403, code("evil.example", "/"))
	require.Equal(t, 200, code("evil.example", "/open"))
}

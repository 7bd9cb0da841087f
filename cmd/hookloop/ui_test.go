package main

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/terminal"
)

func TestUIUsage(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]uiOptions{
		"--upstream is required":   {},
		"--upstream must be a URL": {upstream: "temporal-ui:8080"},
		"--panel must be a URL":    {upstream: "http://temporal-ui:8080", panel: "/console/panel"},
		"--origin must be a URL":   {upstream: "http://temporal-ui:8080", origins: []string{"temporal.example.com"}},
	} {
		_, err := o.handler(log.Default())
		require.ErrorContains(t, err, want)
		_, is := errors.AsType[*terminal.UsageError](err)
		require.True(t, is, want)
	}
}

// TestUIAnswersToItsNames: the script with the panel is for plain HTTP alone.
func TestUIAnswersToItsNames(t *testing.T) {
	t.Parallel()
	ui := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<meta content="script-src 'self'"><body>`)
	}))
	t.Cleanup(ui.Close)
	get := func(o uiOptions, host string) (int, string) {
		o.upstream = ui.URL
		h, err := o.handler(log.New(io.Discard, "", 0))
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", http.NoBody))
		return w.Code, w.Body.String()
	}
	behindTLS := uiOptions{panel: "https://hooks.example.com/console/panel", origins: []string{"https://temporal.example.com"}}
	plain := uiOptions{panel: "http://localhost:8080/console/panel", origins: []string{"http://localhost:8233"}}
	code, page := get(plain, "localhost:8233")
	require.Equal(t, 200, code)
	require.Contains(t, page, "allow-same-origin")
	code, page = get(behindTLS, "temporal.example.com")
	require.Equal(t, 200, code)
	require.NotContains(t, page, "allow-same-origin")
	require.Contains(t, page, "EventType", "the columns")
	code, _ = get(behindTLS, "evil.example.com")
	require.Equal(t, 403, code)
}

package sender_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// Every way an attempt can go: none may carry the secret, the endpoint's headers, its URL's query
// or the payload into logs, errors or the attempt that histories keep.
func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_ = r.Header.Write(w)
	}))
	t.Cleanup(echo.Close)
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	tlsServer.StartTLS()
	t.Cleanup(tlsServer.Close)
	for name, url := range map[string]string{
		"echo":      echo.URL,
		"refused":   "http://" + freePort(t),
		"dropped":   endpointtest.Start(t, endpointtest.Config{Script: "drop"}).URL,
		"timeout":   endpointtest.Start(t, endpointtest.Config{Script: "hang"}).URL,
		"tls":       tlsServer.URL,
		"dns":       "http://nothing.invalid",
		"malformed": "http://" + raw(t, answering("odd tok-query-secret\r\n\r\n")),
		"bad url":   "http://tok-user-secret:tok-password-secret@\x7f",
		"scheme":    "gopher://127.0.0.1",
		"userinfo":  strings.Replace(echo.URL, "//", "//tok-user-secret:tok-password-secret@", 1),
		"success":   endpointtest.Start(t, endpointtest.Config{}).URL,
		"address":   "http://10.0.0.1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := delivery(url + "/?key=tok-query-secret")
			d.Content.Data = []byte(`{"note":"tok-payload-secret"}`)
			d.Endpoint.Headers = map[string]string{"Authorization": "Bearer tok-header-secret"}
			if name == "timeout" {
				d.Endpoint.Timeout = short
			}
			var log bytes.Buffer
			s := newSender(t, sender.Config{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})

			a, err := s.Send(t.Context(), d, 1)
			require.NoError(t, err)
			kept, err := json.Marshal(a)
			require.NoError(t, err)
			require.NotEmpty(t, log.String())
			requireNoSecret(t, d, log.String(), string(kept))
		})
	}
}

func requireNoSecret(t *testing.T, d webhook.Delivery, texts ...string) {
	t.Helper()
	for _, text := range texts {
		require.NotContains(t, text, "-secret")
		for _, s := range d.Endpoint.Secrets {
			require.NotContains(t, text, strings.TrimPrefix(s.Secret.Reveal(), "whsec_"))
		}
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "200 503 drop"})
	var log bytes.Buffer
	withoutTimes := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration_ms" {
			return slog.Attr{}
		}
		return a
	}
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTimes})
	s := newSender(t, sender.Config{Logger: slog.New(handler)})
	for n := range 3 {
		_, err := s.Send(t.Context(), delivery(srv.URL), n+1)
		require.NoError(t, err)
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	require.Equal(t, strings.ReplaceAll(`level=DEBUG msg=attempt tenant=acme event=evt_1 type=contact.updated endpoint=ep_1 host=HOST attempt=1 status=200 failure=""
level=WARN msg="attempt failed" tenant=acme event=evt_1 type=contact.updated endpoint=ep_1 host=HOST attempt=2 status=503 failure=""
level=WARN msg="attempt failed" tenant=acme event=evt_1 type=contact.updated endpoint=ep_1 host=HOST attempt=3 status=0 failure=reset
`, "HOST", host), log.String())
}

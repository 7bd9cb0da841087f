package sender_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
)

// TestEscapedSecretsAreNotKept: an answer that repeats a header of the endpoint, in any form,
// leaves nothing of it in the attempt.
func TestEscapedSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	const secret = `c2VjcmV0/LXRva2Vu+"<&>'==x`
	every := func(format string) string {
		var b strings.Builder
		for _, c := range []byte(secret) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	quoted, err := json.Marshal(map[string]string{"Authorization": "Basic " + secret})
	require.NoError(t, err)
	basic := base64.StdEncoding.EncodeToString([]byte(`{"headers":{"authorization":"Basic ` + secret + `"}}`))
	for name, body := range map[string]string{
		"JSON":             string(quoted),
		"PHP":              `{"a":"` + strings.NewReplacer("/", `\/`, `"`, `\"`).Replace(secret) + `"}`,
		"letters as \\u":   every(`\u%04X`),
		"letters as \\x":   every(`\x%02x`),
		"octal":            every(`\%03o`),
		"a query":          "?a=" + url.QueryEscape(secret),
		"a path":           url.PathEscape(secret),
		"every byte":       every("%%%02X"),
		"HTML":             "<td>" + html.EscapeString(secret) + "</td>",
		"HTML numbers":     every("&#%d;"),
		"JSON in HTML":     html.EscapeString(string(quoted)),
		"JSON in a query":  url.QueryEscape(string(quoted)),
		"base64":           "x" + basic,
		"base64 of itself": base64.StdEncoding.EncodeToString([]byte("Basic " + secret)),
		"base64 for URLs":  base64.RawURLEncoding.EncodeToString([]byte("??" + secret)),
		"base64 wrapped":   basic[:40] + "\r\n" + basic[40:76] + "\n" + basic[76:],
		"hexadecimal":      hex.EncodeToString([]byte(secret)),
		"wrapped":          secret[:10] + "\n    " + secret[10:],
		"at the limit":     strings.Repeat("a", 4090) + every(`\u%04x`),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		d := delivery(server.URL)
		d.Endpoint.Headers = map[string]string{"Authorization": "Basic " + secret}
		a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
		server.Close()
		require.NoError(t, err, name)
		require.Equal(t, "(not kept: the answer repeats a header of the endpoint in another form)", a.ResponseBody, name)
	}
	for _, kept := range []string{
		`{"ok":true,"next":"a\/b\u00e9"}`, "&amp;lt; 100 %zz \\", strings.Repeat("QUJD", 1000), base64.StdEncoding.EncodeToString([]byte("something else entirely")),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(kept)) }))
		d := delivery(server.URL)
		d.Endpoint.Headers = map[string]string{"Authorization": "Basic " + secret}
		a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
		server.Close()
		require.NoError(t, err)
		require.Equal(t, kept, a.ResponseBody)
	}
}

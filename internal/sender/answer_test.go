package sender_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second,
		"\t7\r\n": 7 * time.Second, "007": 7 * time.Second,
		"-1": 0, "-0": 0, "+5": 0, "1.5": 0, "1e3": 0, "soon": 0, "5s": 0, "0x10": 0, "1_000": 0,
		"120, 60": 0, "120;": 0, "1 2": 0, "\u0661\u0662": 0, "\uff15": 0, "\x00": 0, "-99999999999999999999999": 0,
		"86399": 86399 * time.Second, "86400": 24 * time.Hour, "86401": 24 * time.Hour,
		"9223372036854775808": 24 * time.Hour, "99999999999999999999999": 24 * time.Hour,
		"Sat, 31 Jan 2026 12:00:30 GMT":    30 * time.Second,
		"Saturday, 31-Jan-26 12:01:00 GMT": time.Minute,
		"Sat Jan 31 13:00:00 2026":         time.Hour,
		"Sat, 31 Jan 2026 11:59:59 GMT":    0,
		"Sat, 31 Jan 2099 12:00:00 GMT":    24 * time.Hour,
		"Sun, 01 Feb 2026 11:59:59 GMT":    24*time.Hour - time.Second,
		"Fri, 31 Dec 9999 23:59:59 GMT":    24 * time.Hour,
		"Sat, 01 Jan 0000 00:00:00 GMT":    0,
		"Thu, 01 Jan 1970 00:00:00 GMT":    0,
		"Sat, 31 Feb 2026 12:00:00 GMT":    0,
		"Sat, 31 Jan 2026 25:00:00 GMT":    0,
		"Sat, 31 Jan 2026 13:00:00":        0,
		"Sat, 31 Jan 2026":                 0,
		"2026-01-31T12:00:30Z":             0,
	} {
		require.Equal(t, want, sender.RetryAfter(value, now), "%q", value)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "120", "-1", "Sat, 31 Jan 2026 12:00:30 GMT", "99999999999999999999"} {
		f.Add(seed, int64(1_769_860_800))
	}
	f.Fuzz(func(t *testing.T, value string, now int64) {
		wait := sender.RetryAfter(value, time.Unix(now, 0))
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, webhook.MaxRetryAfter)
	})
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "",
		"ok\n\t✔":                   "ok\n\t✔",
		"a\r\nb\rc":                 "a\nb\uFFFDc",
		"\x00\x1b[31m\u0085\x7f":    "\uFFFD\uFFFD[31m\uFFFD\uFFFD",
		"a\xff\xfeb":                "a\uFFFDb",
		strings.Repeat("é", 3<<10):  strings.Repeat("é", 2<<10),
		strings.Repeat("x", 5<<10):  strings.Repeat("x", 4<<10),
		strings.Repeat("€", 2<<10):  strings.Repeat("€", 1365), // 4095 bytes: no rune is cut
		strings.Repeat("\x00", 300): strings.Repeat("\uFFFD", 300),
	} {
		require.Equal(t, want, sender.Clean(text))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\r\n\x00\xff")
	f.Add(strings.Repeat("\x1b\xe2\x82", 2<<10))
	f.Fuzz(func(t *testing.T, text string) {
		got := sender.Clean(text)
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, len(got), webhook.MaxResponseBody)
		encoded, err := json.Marshal(got)
		require.NoError(t, err)
		require.NotContains(t, string(encoded), `\u000`)
	})
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string
		error   string
	}{
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<10)); err != nil {
					return
				}
			}
		}, strings.Repeat("x", webhook.MaxResponseBody), ""},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		}, "half", "answered 200, but its body broke off after 4 bytes"},
		"never ends": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, "begun", "answered 200, but its body is too slow: 5 bytes within 5s"},
		"claims to be compressed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8b not inflated")
		}, "\uFFFD\uFFFD not inflated", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tc.handler)
			t.Cleanup(srv.Close)
			d := delivery(srv.URL)
			d.Endpoint.Timeout = patience
			if name == "never ends" {
				d.Endpoint.Timeout = short
			}
			a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
			require.NoError(t, err)
			require.Equal(t, 200, a.StatusCode, "the status is the answer")
			require.Empty(t, a.Failure)
			require.Equal(t, tc.want, a.ResponseBody)
			require.Equal(t, tc.error, a.Error)
		})
	}
}

func TestDirectives(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]webhook.Directive{
		"abort-message": webhook.DirectiveAbort, " Abort-Message ": webhook.DirectiveAbort,
		"disable": webhook.DirectiveDisable, "DISABLE": webhook.DirectiveDisable, "\tdisable": webhook.DirectiveDisable,
		"": "", "abort": "", "abort message": "", "disable, abort-message": "", "retry": "", "d\u0131sable": "",
	} {
		for _, status := range []string{"200", "302", "400", "410", "503"} {
			srv := endpointtest.Start(t, endpointtest.Config{Script: status, Header: http.Header{"Webhook-Delivery": {value}}})
			a, err := newSender(t, sender.Config{}).Send(t.Context(), delivery(srv.URL), 1)
			require.NoError(t, err)
			require.Equal(t, want, a.Directive, "%q", value)
		}
	}
}

func TestEchoedHeaderValuesAreTakenOut(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("s3cret-", 30)
	for name, body := range map[string]string{
		"echo":         "you sent Bearer " + token + " and 1",
		"at the limit": strings.Repeat("x", webhook.MaxResponseBody-20) + token + token,
		"over and over": strings.Repeat(token, webhook.MaxResponseBody/len(token)) +
			strings.Repeat("y", 100) + token + token,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, body)
			}))
			t.Cleanup(srv.Close)
			d := delivery(srv.URL)
			d.Endpoint.Headers = map[string]string{"Authorization": "Bearer " + token, "X-One": "1"}
			a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
			require.NoError(t, err)
			require.NotContains(t, a.ResponseBody, "s3cret")
			require.LessOrEqual(t, len(a.ResponseBody), webhook.MaxResponseBody)
			if name == "echo" {
				require.Equal(t, "you sent Bearer *** and 1", a.ResponseBody)
			}
		})
	}
}

// TestAnswersThatRepeatASecretInAnotherFormAreNotKept: as JSON, HTML, a URL or base64 has it, or in
// lines.
func TestAnswersThatRepeatASecretInAnotherFormAreNotKept(t *testing.T) {
	t.Parallel()
	const token = `to&ken"/s3cr3t+with=signs` // longer than what is looked for
	asJSON, err := json.Marshal(token)
	require.NoError(t, err)
	for name, body := range map[string]string{
		"JSON":          string(asJSON),
		"HTML":          html.EscapeString(token),
		"a URL":         url.QueryEscape(token),
		"twice":         url.QueryEscape(html.EscapeString(token)),
		"base64":        base64.StdEncoding.EncodeToString([]byte("x:Bearer " + token)),
		"base64 of URL": base64.RawURLEncoding.EncodeToString([]byte(token)),
		"hexadecimal":   hex.EncodeToString([]byte(token)),
		"wrapped":       token[:9] + "=\r\n  " + token[9:],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"you": "sent `+body+`"}`)
			}))
			t.Cleanup(srv.Close)
			d := delivery(srv.URL)
			d.Endpoint.Headers = map[string]string{"Authorization": "Bearer " + token}
			a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
			require.NoError(t, err)
			require.Equal(t, "(not kept: the answer repeats a header of the endpoint in another form)", a.ResponseBody)
		})
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ size, connections int }{
		"empty": {0, 1}, "small": {2, 1}, "kept and drained": {16 << 10, 1}, "too long to drain": {1 << 20, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			from := map[string]bool{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				from[r.RemoteAddr] = true
				mu.Unlock()
				_, _ = io.WriteString(w, strings.Repeat("x", tc.size))
			}))
			t.Cleanup(srv.Close)
			s := newSender(t, sender.Config{})
			for n := range 3 {
				_, err := s.Send(t.Context(), delivery(srv.URL), n+1)
				require.NoError(t, err)
			}
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, from, tc.connections)
		})
	}
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/terminal"
)

func TestLeadsTo(t *testing.T) {
	t.Parallel()
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9000}
	every := &net.TCPAddr{IP: net.IPv6zero, Port: 9000}
	lan := &net.TCPAddr{IP: net.IPv4(192, 168, 0, 7), Port: 80}
	own, err := os.Hostname()
	require.NoError(t, err)
	tests := []struct {
		url  string
		addr net.Addr
		want bool
	}{
		{"http://127.0.0.1:9000/", local, true},
		{"http://127.0.0.1:9000", local, true},
		{"http://localhost:9000/a/path?q=1", local, true},
		{"http://[::1]:9000/", local, true},
		{"http://127.0.0.1:9001/", local, false},
		{"https://127.0.0.1:9000/", local, false},
		{"http://example.com:9000/", local, false},
		{"http://localhost:9000/", every, true},
		{"http://" + own + ":9000/", every, true},
		{"http://192.168.0.7/", lan, true},
		{"http://192.168.0.8/", lan, false},
		{"http://localhost/", lan, false},
		{"::", local, false},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, leadsTo(tt.url, tt.addr), tt.url)
	}
}

// session is a `hookloop listen --json` under way.
type session struct {
	url   string
	lines *json.Decoder
	ended chan int
	stop  func()
}

func listen(t *testing.T, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	s := &session{lines: json.NewDecoder(r), ended: make(chan int, 1), stop: cancel}
	go func() {
		s.ended <- terminal.Execute(ctx, New("test"), append([]string{"listen", "--json", "--listen", "127.0.0.1:0"}, args...), w, io.Discard)
		_ = w.Close()
	}()
	t.Cleanup(cancel)
	var first struct{ Listening string }
	require.NoError(t, s.lines.Decode(&first))
	s.url = first.Listening
	return s
}

// deliver posts a signed event and gives what listen said of it and answered.
func (s *session) deliver(t *testing.T, secret signature.Secret) (receiptView, int) {
	t.Helper()
	body := []byte(`{"type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","data":{"n":1.10}}`)
	h := http.Header{}
	sign(h, secret, "evt_1", body)
	status := make(chan int, 1)
	go func() {
		resp, err := postWhenUp(s.url+"some/path", h, body)
		if err != nil {
			status <- 0
			return
		}
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	var v receiptView
	require.NoError(t, s.lines.Decode(&v))
	require.Equal(t, string(body), v.Body)
	require.Equal(t, "evt_1", v.ID)
	require.Equal(t, "contact.updated", v.Type)
	return v, <-status
}

func TestListenFindsTheSecretOfAnEndpointCreatedLater(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints": {{body: noEndpoints}}})
	s := listen(t, "--data", g.data)
	secret := signature.NewSecret()
	v, status := s.deliver(t, secret)
	require.False(t, v.Verified)
	require.Equal(t, "no endpoint has this URL", v.Why)
	require.Equal(t, http.StatusOK, status)

	g.set("GET /v1/tenants/demo/endpoints", canned{body: `{"data":[{"id":"ep_9","url":"http://other:1/"},{"id":"ep_1","url":"` + s.url + `in"}]}`})
	g.set("GET /v1/tenants/demo/endpoints/ep_1/secret", canned{body: `{"secret":"` + secret.Reveal() + `"}`})
	v, _ = s.deliver(t, secret)
	require.True(t, v.Verified, v.Why)

	rotated := signature.NewSecret()
	g.set("GET /v1/tenants/demo/endpoints/ep_1/secret", canned{body: `{"secret":"` + rotated.Reveal() + `"}`})
	v, _ = s.deliver(t, rotated)
	require.True(t, v.Verified, v.Why)
	v, _ = s.deliver(t, secret)
	require.Equal(t, "no signature matches", v.Why)

	s.stop()
	require.Equal(t, 0, <-s.ended)
}

func TestListenWithoutAGateway(t *testing.T) {
	t.Parallel()
	s := listen(t, "--data", t.TempDir(), "--count", "1", "--fail", "503:3")
	v, status := s.deliver(t, signature.NewSecret())
	require.Contains(t, v.Why, "start `hookloop dev` first")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, 0, <-s.ended)
}

func TestListenForOneEndpoint(t *testing.T) {
	t.Parallel()
	secret := signature.NewSecret()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1/secret": {{body: `{"secret":"` + secret.Reveal() + `"}`}}})
	s := listen(t, "--data", g.data, "--endpoint", "ep_1", "--script", "500 418")
	for _, want := range []int{500, 418, 418} {
		v, status := s.deliver(t, secret)
		require.True(t, v.Verified, v.Why)
		require.Equal(t, want, status)
		require.Equal(t, want, v.Status)
	}
	s.stop()
	require.Equal(t, 0, <-s.ended)
}

func TestListenEndsWhileAnAnswerHangs(t *testing.T) {
	t.Parallel()
	secret := signature.NewSecret()
	s := listen(t, "--secret", secret.Reveal(), "--fail", "hang", "--count", "1")
	v, status := s.deliver(t, secret)
	require.True(t, v.Verified)
	require.Zero(t, v.Status)
	require.Zero(t, status)
	require.Equal(t, 0, <-s.ended)
}

func TestListenThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--fail", "503", "--script", "200"},
		{"--fail", "5033"},
		{"--script", "maybe"},
		{"--secret", "whsec_tooshort"},
		{"--secret", signature.NewSecret().Reveal(), "--endpoint", "ep_1"},
		{"--delay", "-1s"},
		{"--count", "-1"},
		{"extra"},
	} {
		r := hookloop(t, append([]string{"listen", "--listen", "127.0.0.1:0"}, args...)...)
		require.NotContains(t, r.fails(t, 2), "tooshort")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	require.Contains(t, hookloop(t, "listen", "--listen", l.Addr().String()).fails(t, 1), "--listen")
}

func TestReceiptsForPeople(t *testing.T) {
	t.Parallel()
	r := endpointtest.Receipt{ID: "evt_1", At: time.Now(), Body: []byte("{\"type\":\"a\x7f.b\",\"data\":\"\\u001b\u009b\"}"), Status: 200}
	tests := map[string]struct {
		receipt  endpointtest.Receipt
		verified error
		raw      bool
		want     string
	}{
		"verified":  {r, nil, false, "  evt_1  a\\u007f.b  ✓ verified  → 200\n{\n  \"type\": \"a\\u007f.b\",\n  \"data\": \"\\u001b\\u009b\"\n}\n"},
		"raw":       {r, nil, true, "→ 200\n{\"type\":\"a\\u007f.b\",\"data\":\"\\u001b\\u009b\"}\n"},
		"forged":    {r, signature.ErrNoMatch, true, "✗ no signature matches  → 200\n"},
		"unknown":   {r, errNoEndpoint, true, "? not verified: no endpoint has this URL  → 200\n"},
		"gateway":   {r, errors.New("x\x1by"), true, "? not verified: x\\u001by  → 200\n"},
		"stranger":  {endpointtest.Receipt{Body: []byte("\x1b[2Jhi\xff\n")}, signature.ErrMissingHeader, false, "  (no webhook-id)  (no type)  ✗ a webhook-id, webhook-timestamp or webhook-signature header is missing  → no answer\n\\u001b[2Jhi\\xff\n\n"},
		"bare JSON": {endpointtest.Receipt{Body: []byte(`[1]`), Status: 204}, nil, false, "→ 204\n[\n  1\n]\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			s := &receipts{w: &b, raw: tt.raw}
			s.add(tt.receipt, tt.verified)
			require.Contains(t, b.String(), tt.want)
		})
	}
}

func TestListenGreets(t *testing.T) {
	t.Parallel()
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9000}
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints": {{body: noEndpoints}}})
	o := listenOptions{options: options{data: g.data}}
	greet := func(o listenOptions, secret signature.Secret) string {
		var b strings.Builder
		s := &receipts{w: &b}
		require.NoError(t, s.greet(t.Context(), "http://127.0.0.1:9000/", o.keyring(newListen("test"), addr, secret)))
		return b.String()
	}
	require.Contains(t, greet(o, signature.Secret{}), "\n  hookloop endpoint create --url http://127.0.0.1:9000/\n")
	require.Contains(t, greet(o, signature.NewSecret()), "Verifying with the secret given.\n")

	g.set("GET /v1/tenants/demo/endpoints", canned{body: `{"data":[{"id":"ep_1","url":"http://127.0.0.1:9000/"}]}`})
	g.set("GET /v1/tenants/demo/endpoints/ep_1/secret", canned{body: `{"secret":"` + signature.NewSecret().Reveal() + `"}`})
	require.Contains(t, greet(o, signature.Secret{}), "Verifying with the secret of 1 endpoint.\n")

	o.data = t.TempDir()
	require.Contains(t, greet(o, signature.Secret{}), "Cannot verify yet: no ")
}

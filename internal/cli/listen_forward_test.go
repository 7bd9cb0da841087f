package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/terminal"
)

// TestListenForwards plays a sender before it and an app behind it.
func TestListenForwards(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 4)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		got <- r
		w.Header().Set("Webhook-Delivery", "disable")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "said so")
	}))
	defer app.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	secret := signature.NewSecret()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, code := &screen{seen: make(chan struct{}, 1)}, make(chan int, 1)
	go func() {
		code <- terminal.Execute(ctx, New("test"), []string{
			"listen", "--listen", address, "--secret", secret.Reveal(), "--forward", app.URL + "/hooks?x=1", "--count", "3",
		}, s, io.Discard)
	}()
	body := []byte(`{"type":"a.b"}`)
	header := http.Header{"X-Team": {"crm"}}
	sign(header, secret, "evt_1", body)
	resp, err := postWhenUp("http://"+address+"/", header, body)
	require.NoError(t, err)
	answer, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	require.Equal(t, []any{http.StatusTeapot, "said so", "disable"}, []any{resp.StatusCode, string(answer), resp.Header.Get("Webhook-Delivery")})
	r := <-got
	relayed, _ := io.ReadAll(r.Body)
	require.Equal(t, []string{"POST", "/hooks?x=1", string(body), "crm", "evt_1"},
		[]string{r.Method, r.URL.RequestURI(), string(relayed), r.Header.Get("X-Team"), r.Header.Get(signature.HeaderID)})

	forged := http.Header{}
	sign(forged, signature.NewSecret(), "evt_2", body)
	resp, err = postWhenUp("http://"+address+"/", forged, body)
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	require.Empty(t, got, "it is not relayed")

	app.Close()
	resp, err = postWhenUp("http://"+address+"/", header, body)
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusBadGateway, resp.StatusCode)
	require.Equal(t, 0, <-code)
	s.until(t, func(text string) bool {
		return strings.Contains(text, "→ 418") && strings.Contains(text, "→ 401") && strings.Contains(text, "→ 502")
	})
}

func TestForwardFlagsThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--forward", "127.0.0.1:3000"}, {"--forward", "http://127.0.0.1:1/", "--fail", "503"}, {"--forward", "http://127.0.0.1:1/", "--delay", "1s"}} {
		hookloop(t, append([]string{"listen"}, args...)...).fails(t, 2)
	}
}

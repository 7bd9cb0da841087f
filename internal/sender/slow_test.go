package sender_test

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestResetMidResponse(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	addr := raw(t, func(c net.Conn) {
		answering("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 2*kib))(c)
		<-read
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotFirstResponseByte: func() { close(read) }, // and with it all that was written at once
	})
	a, err := newSender(t, sender.Config{}).Send(ctx, delivery("http://"+addr), 1)
	require.NoError(t, err)
	require.True(t, a.Succeeded(), "it took the event")
	require.Equal(t, "answered 200, but its body broke off after 2048 bytes", a.Error)
	require.Len(t, a.ResponseBody, 2*kib)
}

// drip serves text byte by byte, ten a second.
func drip(t *testing.T, once, text string) string {
	t.Helper()
	return raw(t, func(c net.Conn) {
		answering(once)(c)
		pace := time.NewTicker(100 * time.Millisecond)
		defer pace.Stop()
		for i := range len(text) {
			<-pace.C
			if _, err := c.Write([]byte{text[i]}); err != nil {
				return
			}
		}
	})
}

func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	t.Run("body", func(t *testing.T) {
		t.Parallel()
		d := delivery("http://" + drip(t, "HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 1000)))
		d.Endpoint.Timeout = short
		a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
		require.NoError(t, err)
		require.True(t, a.Succeeded(), "it took the event")
		require.Equal(t, fmt.Sprintf("answered 200, but its body is too slow: %d bytes within 5s", len(a.ResponseBody)), a.Error)
		require.NotEmpty(t, a.ResponseBody)
	})
	t.Run("headers", func(t *testing.T) {
		t.Parallel()
		addr := drip(t, "", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n")
		meetFor(t, short, newSender(t, sender.Config{}), "http://"+addr, want{0, webhook.FailureTimeout, "no answer within 5s", ""})
	})
	t.Run("1xx", func(t *testing.T) {
		t.Parallel()
		addr := drip(t, "", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 10))
		meetFor(t, short, newSender(t, sender.Config{}), "http://"+addr, want{0, webhook.FailureTimeout, "no answer within 5s", ""})
	})
	t.Run("connection", func(t *testing.T) {
		t.Parallel()
		meetFor(t, short, newSender(t, sender.Config{}), "http://"+crowded(t), want{0, webhook.FailureTimeout, "no connection within 5s", ""})
	})
	t.Run("TLS handshake", func(t *testing.T) {
		t.Parallel()
		addr := drip(t, "", strings.Repeat("\x16\x03\x03\x40\x00", 100))
		meetFor(t, short, newSender(t, sender.Config{}), "https://"+addr, want{0, webhook.FailureTimeout, "no TLS handshake within 5s", ""})
	})
}

// crowded is an address that takes no more connections: its queue is full, and no program accepts.
func crowded(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("other systems refuse, or have a longer queue")
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	at, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	addr := fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return addr
}

func TestCompressedBombIsNotInflated(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	for range 10 * kib {
		_, _ = w.Write(make([]byte, kib))
	}
	require.NoError(t, w.Close())
	require.Greater(t, bomb.Len(), 10_000)
	for _, encoding := range []string{"gzip", "br", "gzip, gzip", "identity"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			_, _ = w.Write(bomb.Bytes())
		}))
		t.Cleanup(srv.Close)
		d := delivery(srv.URL)
		a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
		require.NoError(t, err)
		require.True(t, a.Succeeded())
		require.Empty(t, a.Error)
		require.LessOrEqual(t, len(a.ResponseBody), webhook.MaxResponseBody)
		require.True(t, strings.HasPrefix(a.ResponseBody, "\uFFFD\uFFFD"), "gzip's first bytes, unread")
	}
}

func TestHTTP2Neighbours(t *testing.T) {
	t.Parallel()
	hungUp := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte("x"), 16*kib)
		for err := error(nil); err == nil; {
			_, err = w.Write(block)
		}
		close(hungUp)
	})
	mux.HandleFunc("/headers/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		for i := range n {
			w.Header().Set(fmt.Sprintf("x-%d", i), "1")
		}
	})
	mux.HandleFunc("/break", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	srv := httptest.NewUnstartedServer(mux)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	s := newSender(t, sender.Config{})
	s.Trust(roots)

	meet(t, s, srv.URL+"/endless", want{200, "", "", strings.Repeat("x", webhook.MaxResponseBody)})
	<-hungUp
	meet(t, s, srv.URL+"/headers/1000", want{200, "", "", ""})
	meet(t, s, srv.URL+"/headers/1750", want{0, webhook.FailureOther, "the answer's headers exceed 64 KiB", ""})
	meet(t, s, srv.URL+"/headers/10000", want{0, webhook.FailureOther, "the server broke a rule of HTTP/2, or sent far too many headers", ""})
	meet(t, s, srv.URL+"/break", want{200, "", "answered 200, but its body broke off after 4 bytes", "half"})
	meetFor(t, short, s, srv.URL+"/slow", want{200, "", "answered 200, but its body is too slow: 5 bytes within 5s", "begun"})
}

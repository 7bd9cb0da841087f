package sender_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	cert := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for _, tc := range []struct {
		err      error
		failure  webhook.Failure
		sentence string
	}{
		{dial(sender.ErrAddress), webhook.FailureAddress, "the endpoint's address is not a public one"},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), webhook.FailureRefused, "connection refused"},
		{dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), webhook.FailureTimeout, "connection timed out"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), webhook.FailureOther, "no route to the host"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), webhook.FailureOther, "no route to the host"},
		{dial(&net.DNSError{IsNotFound: true}), webhook.FailureDNS, "the host name does not resolve"},
		{dial(&net.DNSError{IsTimeout: true}), webhook.FailureDNS, "the host name lookup timed out"},
		{dial(&net.DNSError{Err: "server misbehaving"}), webhook.FailureDNS, "the host name lookup failed"},
		{context.DeadlineExceeded, webhook.FailureTimeout, "no answer within 15s"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, webhook.FailureTimeout, "connection timed out"},
		{cert(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a.example"}), webhook.FailureTLS, "certificate is not valid for a.example"},
		{cert(x509.UnknownAuthorityError{}), webhook.FailureTLS, "certificate is signed by an unknown authority"},
		{cert(x509.CertificateInvalidError{Reason: x509.Expired}), webhook.FailureTLS, "certificate has expired or is not valid yet"},
		{cert(x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}), webhook.FailureTLS, "certificate is not valid"},
		{cert(errors.New("odd")), webhook.FailureTLS, "certificate could not be verified"},
		{tls.RecordHeaderError{Msg: "x"}, webhook.FailureTLS, "the server does not speak TLS"},
		{http.ErrSchemeMismatch, webhook.FailureTLS, "the server does not speak TLS"},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, webhook.FailureTLS, "TLS handshake failed: handshake failure"},
		{errors.New("tls: odd"), webhook.FailureTLS, "TLS handshake failed"},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, webhook.FailureReset, "connection broken before there was an answer"},
		{&net.OpError{Op: "write", Err: syscall.EPIPE}, webhook.FailureReset, "connection broken before there was an answer"},
		{fmt.Errorf("transport: %w", io.EOF), webhook.FailureReset, "connection broken before there was an answer"},
		{io.ErrUnexpectedEOF, webhook.FailureReset, "connection broken before there was an answer"},
		{errors.New("http: server closed idle connection"), webhook.FailureReset, "connection broken before there was an answer"},
		{errors.New("http2: server sent GOAWAY and closed the connection; debug=secret"), webhook.FailureReset, "connection broken before there was an answer"},
		{errors.New("stream error: stream ID 1; INTERNAL_ERROR"), webhook.FailureReset, "connection broken before there was an answer"},
		{errors.New("malformed HTTP response \"secret\""), webhook.FailureOther, "no valid HTTP answer"},
		{&url.Error{Op: "Post", URL: "https://u:secret@a.example?secret", Err: errors.New("odd")}, webhook.FailureOther, "no valid HTTP answer"},
	} {
		failure, sentence := sender.Classify(tc.err, "no answer within 15s")
		require.Equal(t, tc.failure, failure, "%v", tc.err)
		require.Equal(t, tc.sentence, sentence, "%v", tc.err)
	}
}

func TestRealFailures(t *testing.T) {
	t.Parallel()
	plain := endpointtest.Start(t, endpointtest.Config{})
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(encrypted.Close)
	for name, tc := range map[string]struct {
		url      string
		failure  webhook.Failure
		sentence string
	}{
		"refused":       {"http://" + freePort(t), webhook.FailureRefused, "connection refused"},
		"dropped":       {endpointtest.Start(t, endpointtest.Config{Script: "drop"}).URL, webhook.FailureReset, "connection broken before there was an answer"},
		"reset":         {"http://" + raw(t, reset), webhook.FailureReset, "connection broken before there was an answer"},
		"cut headers":   {"http://" + raw(t, answering("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")), webhook.FailureReset, "connection broken before there was an answer"},
		"hangs":         {endpointtest.Start(t, endpointtest.Config{Script: "hang"}).URL, webhook.FailureTimeout, "no answer within 5s"},
		"dns":           {"http://nothing.invalid/", webhook.FailureDNS, "the host name "},
		"untrusted":     {encrypted.URL, webhook.FailureTLS, "certificate is signed by an unknown authority"},
		"plain for tls": {strings.Replace(plain.URL, "http:", "https:", 1), webhook.FailureTLS, "the server does not speak TLS"},
		"not http":      {"http://" + raw(t, answering("SSH-2.0-OpenSSH\r\n\r\n")), webhook.FailureOther, "no valid HTTP answer"},
		"status 000":    {"http://" + raw(t, answering("HTTP/1.1 000 No\r\n\r\n")), webhook.FailureOther, "the answer has no valid HTTP status"},
		"huge headers":  {"http://" + raw(t, answering("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 70<<10)+"\r\n\r\n")), webhook.FailureOther, "the answer's headers exceed 64 KiB"},
		"scheme":        {"ftp://127.0.0.1/secret", webhook.FailureOther, "the endpoint's URL cannot be called"},
		"no host":       {"http:///secret", webhook.FailureOther, "the endpoint's URL cannot be called"},
		"no url":        {"http://secret\x7f", webhook.FailureOther, "the endpoint's URL cannot be called"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := delivery(tc.url)
			if tc.failure == webhook.FailureTimeout {
				d.Endpoint.Timeout = short
			}
			a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
			require.NoError(t, err)
			require.Equal(t, tc.failure, a.Failure, a.Error)
			require.Contains(t, a.Error, tc.sentence)
			require.Zero(t, a.StatusCode)
		})
	}
}

func TestHeaderThatCannotBeSent(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	d := delivery(srv.URL)
	d.Endpoint.Headers = map[string]string{"X-Split": "a\r\nWebhook-Id: evt_forged"}
	a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
	require.NoError(t, err)
	require.Equal(t, "one of the endpoint's own headers cannot be sent", a.Error)
	require.Empty(t, srv.Receipts())
}

// A server that switches protocols unasked hands over a bare connection that no deadline ends.
func TestSwitchingProtocolsDoesNotHang(t *testing.T) {
	t.Parallel()
	addr := raw(t, func(c net.Conn) {
		answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n")(c)
		_, _ = io.Copy(io.Discard, c) // until the client hangs up
	})
	a, err := newSender(t, sender.Config{}).Send(t.Context(), delivery("http://"+addr), 1)
	require.NoError(t, err)
	require.Equal(t, 101, a.StatusCode)
	require.False(t, a.Succeeded())
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Break") != "" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, r.Proto)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	s := newSender(t, sender.Config{})
	s.Trust(roots)

	d := delivery(srv.URL)
	a, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", a.ResponseBody)

	d.Endpoint.Headers = map[string]string{"X-Break": "1"}
	a, err = s.Send(t.Context(), d, 2)
	require.NoError(t, err)
	require.Equal(t, webhook.FailureReset, a.Failure)
}

// freePort is an address without a listener any more.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// raw serves connections by hand, for answers net/http would not give.
func raw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

func answering(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4<<10)) // the request; unread bytes would turn the close into a reset
		_, _ = io.WriteString(c, text)
	}
}

func reset(c net.Conn) {
	_, _ = c.Read(make([]byte, 1))
	_ = c.(*net.TCPConn).SetLinger(0)
}

package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func loopbackFetcher(t *testing.T) *Fetcher {
	t.Helper()
	f := NewFetcher(FetcherConfig{AllowLoopback: true, UserAgent: "Hookloop/1.2.3"})
	t.Cleanup(f.Close)
	return f
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestFetch(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r
		_, _ = w.Write([]byte(strings.Repeat("k", maxDocument)))
	})
	body, err := loopbackFetcher(t).Get(t.Context(), base+"/keys?version=3")
	require.NoError(t, err)
	require.Len(t, body, maxDocument)
	r := <-got
	require.Equal(t, http.MethodGet, r.Method)
	require.Equal(t, "/keys?version=3", r.RequestURI)
	require.Equal(t, "Hookloop/1.2.3", r.Header.Get("User-Agent"))
	require.Empty(t, r.Header.Get("Accept-Encoding"))
	require.Equal(t, "Hookloop", NewFetcher(FetcherConfig{}).userAgent)
}

func TestFetchTakesNothingButA200(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case "/long":
			_, _ = w.Write([]byte(strings.Repeat("k", maxDocument+1)))
		case "/broken":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("k"))
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		default:
			http.Error(w, "secret", http.StatusInternalServerError)
		}
	})
	for path, cause := range map[string]string{
		"/redirect?token=secret": "answered 302",
		"/fails?token=secret":    "answered 500",
		"/empty":                 "answered 204",
		"/long?token=secret":     "the document exceeds 64 KiB",
		"/broken?token=secret":   "the document broke off",
	} {
		body, err := loopbackFetcher(t).Get(t.Context(), base+path)
		require.EqualError(t, err, "fetch from 127.0.0.1: "+cause, path)
		require.Nil(t, body)
	}
	require.False(t, reached.Load())
}

func TestFetchGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	base := serve(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	f := NewFetcher(FetcherConfig{})
	t.Cleanup(f.Close)
	for url, cause := range map[string]string{
		base + "/keys?token=secret":                              "fetch from 127.0.0.1: only https is allowed",
		strings.Replace(base, "http:", "https:", 1):              "fetch from 127.0.0.1: its address is not a public one",
		"https://169.254.169.254/latest":                         "fetch from 169.254.169.254: its address is not a public one",
		"http://www.googleapis.com/oauth2/v3/certs":              "fetch from www.googleapis.com: only https is allowed",
		"http://cacerts.digicert.com:81/a.crt":                   "fetch from cacerts.digicert.com: only https is allowed",
		"http://cacerts.digicert.com.evil.example/a":             "fetch from cacerts.digicert.com.evil.example: only https is allowed",
		"file:///etc/passwd":                                     "fetch: the URL cannot be fetched",
		"ftp://cacerts.digicert.com/a":                           "fetch from cacerts.digicert.com: only https is allowed",
		"https://user:secret@www.googleapis.com/oauth2":          "fetch: the URL cannot be fetched",
		"https://www.googleapis.com/%zz?secret":                  "fetch: the URL cannot be fetched",
		"www.googleapis.com":                                     "fetch: the URL cannot be fetched",
		"":                                                       "fetch: the URL cannot be fetched",
		"http://localhost.evil.example/":                         "fetch from localhost.evil.example: only https is allowed",
		"https://[::1]:" + base[strings.LastIndex(base, ":")+1:]: "fetch from ::1: its address is not a public one",
	} {
		_, err := f.Get(t.Context(), url)
		require.EqualError(t, err, cause, url)
	}
	require.False(t, reached.Load())
}

func TestFetchAllowsPlainHTTPWhereItMust(t *testing.T) {
	t.Parallel()
	production, development := NewFetcher(FetcherConfig{}), NewFetcher(FetcherConfig{AllowLoopback: true})
	for url, allowed := range map[string][2]bool{
		"https://www.googleapis.com/":         {true, true},
		"http://cacerts.digicert.com/EV.crt":  {true, true},
		"https://cacerts.digicert.com/EV.crt": {true, true},
		"http://127.0.0.1:8080/":              {false, true},
		"http://[::1]/":                       {false, true},
		"http://localhost/":                   {false, true},
		"http://www.googleapis.com/":          {false, false},
		"http://10.0.0.1/":                    {false, false},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.Equal(t, allowed[0], production.allowed(req.URL), url)
		require.Equal(t, allowed[1], development.allowed(req.URL), url)
	}
}

func TestFetchWantsACertificate(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("keys"))
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, err := loopbackFetcher(t).Get(t.Context(), srv.URL)
	require.EqualError(t, err, "fetch from 127.0.0.1: certificate is signed by an unknown authority")

	f := loopbackFetcher(t)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	f.transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	body, err := f.Get(t.Context(), srv.URL)
	require.NoError(t, err)
	require.Equal(t, "keys", string(body))
}

func TestFetchEndsWithWhoAsked(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := loopbackFetcher(t).Get(ctx, base)
	require.ErrorIs(t, err, context.Canceled)
}

func TestFetchDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := NewFetcher(FetcherConfig{})
		over := make(chan struct{})
		defer close(over)
		f.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			<-over // a dial outlives the request it was made for
			return nil, net.ErrClosed
		}
		start := time.Now()
		_, err := f.Get(t.Context(), "https://www.googleapis.com/oauth2/v3/certs?token=secret")
		require.EqualError(t, err, "fetch from www.googleapis.com: no connection within 5s")
		require.Equal(t, fetchTimeout, time.Since(start))
	})
}

func TestClientIsBounded(t *testing.T) {
	t.Parallel()
	var posted atomic.Bool
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { posted.Store(true) })
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write([]byte(strings.Repeat("k", maxOwnDocument) + r.URL.RawQuery + strings.TrimPrefix(r.UserAgent(), "Hookloop/1")))
	})
	f := NewFetcher(FetcherConfig{OwnAddresses: true, UserAgent: "Hookloop/1"})
	t.Cleanup(f.Close)
	c := f.Client()
	require.Equal(t, fetchTimeout, c.Timeout)

	read := func(path string) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader("secret"))
		require.NoError(t, err)
		resp, err := c.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode == http.StatusTemporaryRedirect {
			return resp.StatusCode, nil
		}
		return len(body), err
	}
	n, err := read("/")
	require.NoError(t, err)
	require.Equal(t, maxOwnDocument, n)
	_, err = read("/?more")
	require.Error(t, err)
	n, err = read("/redirect")
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, n)
	require.False(t, posted.Load())
}

package console

import (
	"bytes"
	"io"
	"net/http"

	"hookloop/client"
)

// inProcess is the way to the API that takes no network.
type inProcess struct{ api http.Handler }

// RoundTrip lets the API answer.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := r.Clone(r.Context())
	inner.RequestURI = r.URL.RequestURI()
	inner.RemoteAddr = "127.0.0.1:0"
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	w := &answer{status: http.StatusOK, header: http.Header{}}
	t.api.ServeHTTP(w, inner)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}, nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header               { return a.header }
func (a *answer) WriteHeader(status int)            { a.status = status }
func (a *answer) Write(b []byte) (int, error)       { return a.body.Write(b) }
func (a *answer) WriteString(s string) (int, error) { return a.body.WriteString(s) }

// ask is the API as this visit's person sees it.
func (c *Console) ask(host, tenant, token string) (*client.Client, error) {
	return Ask(c.cfg.API, host, tenant, token, "hookloop-console")
}

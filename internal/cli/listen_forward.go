package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// forwarder relays what is verified to an app under development, and its answer back.
type forwarder struct {
	to     string
	verify func(context.Context, endpointtest.Receipt) error
	show   func(endpointtest.Receipt, error)
	http   *http.Client
}

// forwardPatience is as long as an attempt may take.
const forwardPatience = webhook.MaxTimeout

// newForwarder follows no redirects: the answer is the app's own.
func newForwarder(to string, keys *keyring, show *receipts) *forwarder {
	return &forwarder{to: to, verify: keys.verify, show: show.add, http: &http.Client{
		Timeout:       forwardPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhook.MaxData+webhook.MaxBody))
	if err != nil {
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	receipt := endpointtest.Receipt{ID: r.Header.Get(signature.HeaderID), At: time.Now(), Header: r.Header, Body: body}
	verified := f.verify(r.Context(), receipt)
	if verified != nil {
		receipt.Status = http.StatusUnauthorized
		http.Error(w, "not verified", receipt.Status)
	} else {
		receipt.Status = f.relay(w, r, body)
	}
	f.show(receipt, verified)
}

// relay gives the status that was answered.
func (f *forwarder) relay(w http.ResponseWriter, r *http.Request, body []byte) int {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, f.to, bytes.NewReader(body))
	if err != nil {
		http.Error(w, "the app's URL is none", http.StatusBadGateway)
		return http.StatusBadGateway
	}
	copyHeader(req.Header, r.Header)
	resp, err := f.http.Do(req)
	if err != nil {
		http.Error(w, "the app at --forward cannot be reached", http.StatusBadGateway)
		return http.StatusBadGateway
	}
	defer func() { _ = resp.Body.Close() }()
	copyHeader(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, io.LimitReader(resp.Body, webhook.MaxBody)) // the sender reads a few KiB
	return resp.StatusCode
}

// copyHeader leaves out what belongs to one connection.
func copyHeader(to, from http.Header) {
	for name, values := range from {
		switch name {
		case "Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		default:
			to[name] = values
		}
	}
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

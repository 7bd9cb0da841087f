package sender

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// HeaderHops tells how often an event has passed through Hookloop. Who passes it on with what follows
// from the event lets us see a loop that no ledger sees, as CDN-Loop (RFC 8586) does.
const HeaderHops = "hookloop-hops"

var (
	errURL    = errors.New("the endpoint's URL cannot be called")
	errStatus = errors.New("the answer has no valid HTTP status")
)

// exchange posts the event and fills in the answer. An error means there was none. Once there is a
// status the endpoint has answered, even if the body behind it breaks off: that is noted to debug
// with and decides nothing.
func (s *Sender) exchange(ctx context.Context, d webhook.Delivery, secrets []signature.Secret, start time.Time, a *webhook.Attempt) error {
	req, err := s.request(ctx, d, secrets, a.At)
	if err != nil {
		return err
	}
	resp, err := s.transport.RoundTrip(req) // unlike a Client, follows no redirect
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 100 { // Go lets "000" pass; zero means no answer to us
		return errStatus
	}
	a.StatusCode = resp.StatusCode
	a.Directive = directive(resp.Header.Get("Webhook-Delivery"))
	var read int
	if a.ResponseBody, read, err = readAnswer(resp, d.Endpoint.Headers); err != nil {
		a.Error = brokenBody(resp.StatusCode, read, err, d.Endpoint.TimeoutOrDefault())
	}
	a.DurationMS = time.Since(start).Milliseconds()
	if !a.Succeeded() {
		a.RetryAfterMS = retryAfter(resp.Header.Get("Retry-After"), s.now()).Milliseconds()
	}
	drain(resp)
	return nil
}

func (s *Sender) request(ctx context.Context, d webhook.Delivery, secrets []signature.Secret, at time.Time) (*http.Request, error) {
	w, err := s.wanted(ctx, d)
	if err != nil {
		return nil, err
	}
	// A bytes.Reader can be rewound, so a request of which nothing was written yet may move to another connection.
	req, err := http.NewRequestWithContext(ctx, w.method, w.url, bytes.NewReader(w.body))
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, errURL // not err, which quotes the URL
	}
	h := req.Header
	for name, value := range d.Endpoint.Headers {
		if !reserved(name) {
			h.Set(name, value)
		}
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", s.userAgent)
	h.Set(signature.HeaderID, d.Event.ID)
	h.Set(signature.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(signature.HeaderSignature, signature.Sign(secrets, d.Event.ID, at, w.body))
	h.Set(HeaderHops, strconv.Itoa(d.Event.Hops+1))
	propagate(ctx, req)
	return req, nil
}

// reserved names headers an endpoint's owner cannot set: ours, and those that would change how the
// request is framed rather than what it says. The gateway refuses them; this holds when it did not.
func reserved(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "content-type", "user-agent", "traceparent", "tracestate",
		"host", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive",
		"upgrade", "expect", "te", "trailer", "accept-encoding":
		return true
	}
	return strings.HasPrefix(name, "webhook-") || strings.HasPrefix(name, "hookloop-") || strings.HasPrefix(name, "proxy-")
}

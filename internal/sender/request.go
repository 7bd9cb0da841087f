package sender

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

var (
	errURL    = errors.New("the endpoint's URL cannot be called")
	errStatus = errors.New("the answer has no valid HTTP status")
)

// exchange posts the event and fills in the answer. An error means there was none. Once there is a
// status the endpoint has answered, even if the body behind it breaks off: that is noted to debug
// with and decides nothing.
func (s *Sender) exchange(ctx context.Context, d webhook.Delivery, w wanted, secrets []signature.Secret, start time.Time, a *webhook.Attempt) error {
	req, err := s.request(ctx, d, w, secrets, a.At)
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

func (s *Sender) request(ctx context.Context, d webhook.Delivery, w wanted, secrets []signature.Secret, at time.Time) (*http.Request, error) {
	// A bytes.Reader can be rewound, so a request of which nothing was written yet may move to
	// another connection.
	req, err := http.NewRequestWithContext(ctx, w.method, w.url, bytes.NewReader(w.body))
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, errURL // not err, which quotes the URL
	}
	h := req.Header
	for name, value := range d.Endpoint.Headers {
		if !webhook.ReservedHeader(name) { // one that was set before it was reserved
			h.Set(name, value)
		}
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", s.userAgent)
	h.Set(signature.HeaderID, d.Event.ID)
	h.Set(signature.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(signature.HeaderSignature, signature.Sign(secrets, d.Event.ID, at, w.body))
	h.Set(webhook.HeaderHops, strconv.Itoa(d.Event.Hops+1))
	propagate(ctx, req)
	return req, nil
}

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"hookloop/api"
)

// maxAnswer bounds what is read of an answer, in bytes: an event with a thousand deliveries and all
// their attempts fits.
const maxAnswer = 64 << 20

// The wait before a repeat doubles from the first to the longest, and each is drawn between a half
// and the whole of it, so that clients that were refused together do not come back together. A
// Retry-After above the longest wait is taken for a refusal: the caller has better things to do.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 30 * time.Second
)

// transport makes requests for all tenants.
type transport struct {
	base     string // base URL
	token    string
	agent    string
	attempts int
	http     *http.Client
}

// do makes a request, again if it may be, and gives the answer's body.
func (t *transport) do(ctx context.Context, r request) (json.RawMessage, error) {
	for n, pause := 1, firstPause; ; n, pause = n+1, min(2*pause, longestPause) {
		answer, err := t.once(ctx, r)
		if err == nil || n >= t.attempts || !again(r, err) {
			return answer, err
		}
		wait := pause/2 + rand.N(pause/2)
		if refused, ok := errors.AsType[*Error](err); ok {
			if refused.RetryAfter > longestPause {
				return nil, err
			}
			wait = max(wait, refused.RetryAfter)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// again says whether a request may be repeated after an error, and whether that could help.
func again(r request, err error) bool {
	if _, ok := errors.AsType[*UnreachableError](err); ok {
		return r.repeatable()
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch refused.Status {
	case http.StatusTooManyRequests: // refused before anything was done
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return r.repeatable()
	}
	return false
}

// once makes a request and gives the answer's body, or an Error.
func (t *transport) once(ctx context.Context, r request) (json.RawMessage, error) {
	req, err := t.request(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := t.http.Do(req)
	if err != nil {
		return nil, &UnreachableError{URL: t.base, cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, &UnreachableError{URL: t.base, cause: err}
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer of %s is larger than %d MiB", t.base, maxAnswer>>20)
	}
	if resp.StatusCode/100 != 2 {
		return nil, t.refusal(resp, body)
	}
	return body, nil
}

func (t *transport) request(ctx context.Context, r request) (*http.Request, error) {
	target := t.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+t.token)
	req.Header.Set("User-Agent", t.agent)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	if len(r.hops) > 0 {
		req.Header[hopsHeader] = r.hops
	}
	return req, nil
}

func (t *transport) refusal(resp *http.Response, body []byte) error {
	e := &Error{gateway: t.base}
	if json.Unmarshal(body, &e.Problem) != nil {
		e.Problem = api.Problem{} // of something that is not Hookloop
	}
	e.Status = resp.StatusCode
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

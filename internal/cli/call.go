package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"hookloop/internal/terminal"
)

// maxAnswer bounds what we read of an answer: an event with a thousand deliveries and all their
// attempts fits.
const maxAnswer = 64 << 20

// errInterrupted ends a command that Ctrl-C ended.
var errInterrupted = errors.New("interrupted")

// gatewayClient talks to one gateway, for one tenant.
type gatewayClient struct {
	gateway string // base URL
	tenant  string
	token   string
	ui      string // what a workflow's page in the Temporal UI begins with; empty: not known
	version string // of this hookloop
	http    *http.Client
}

// apiRequest is one call of the API, below /v1/tenants/{tenant}.
type apiRequest struct {
	method         string
	path           string
	query          url.Values
	body           []byte // JSON, sent as it is; nil: none
	idempotencyKey string
}

// call makes a request and gives the answer's JSON as it came, or a problemError.
func (c *gatewayClient) call(ctx context.Context, r apiRequest) ([]byte, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unanswered(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unanswered(ctx, err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer of %s is larger than %d MiB", c.gateway, maxAnswer>>20)
	}
	if resp.StatusCode/100 != 2 {
		return nil, c.refusal(resp, body)
	}
	return body, nil
}

func (c *gatewayClient) request(ctx context.Context, r apiRequest) (*http.Request, error) {
	target := c.gateway + "/v1/tenants/" + url.PathEscape(c.tenant) + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("User-Agent", "hookloop-cli/"+c.version)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", r.idempotencyKey)
	}
	return req, nil
}

// unanswered says why there was no answer, and what to do about the usual reason.
func (c *gatewayClient) unanswered(ctx context.Context, err error) error {
	u, isURL := errors.AsType[*url.Error](err)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no gateway at %s: is `hookloop dev` running?", c.gateway)
	case isURL && u.Timeout():
		return fmt.Errorf("the gateway at %s did not answer within %s", c.gateway, clientTimeout)
	case isURL:
		err = u.Err // it would repeat the URL
	}
	return fmt.Errorf("gateway at %s: %w", c.gateway, err)
}

// problemError is a refusal of the gateway: a problem+json document.
type problemError struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}

// Error tells all in one line; a field the detail is about already is not named twice.
func (p *problemError) Error() string {
	line := fmt.Sprintf("%s (%s, HTTP %d)", p.Detail, p.Code, p.Status)
	var fields []string
	for _, e := range p.Errors {
		if p.Detail != e.Field+" "+e.Message && p.Detail != e.Field+": "+e.Message {
			fields = append(fields, e.Field+" "+e.Message)
		}
	}
	if len(fields) > 0 {
		line += ": " + strings.Join(fields, "; ")
	}
	return terminal.OneLine(line)
}

func (c *gatewayClient) refusal(resp *http.Response, body []byte) error {
	p := &problemError{}
	if err := json.Unmarshal(body, p); err != nil || p.Code == "" {
		return fmt.Errorf("%s answered HTTP %d without saying why; is it a Hookloop gateway?", c.gateway, resp.StatusCode)
	}
	p.Status = resp.StatusCode
	return p
}

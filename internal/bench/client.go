package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// app posts for one tenant.
type app struct {
	target *Target
	tenant string
	size   int
	http   *http.Client
}

func newApp(t *Target, tenant string, size int) *app {
	return &app{
		target: t, tenant: tenant, size: size,
		http: &http.Client{Timeout: Patience, Transport: &http.Transport{MaxIdleConnsPerHost: maxInFlight}}, // keeps a connection for each client
	}
}

func (a *app) close() { a.http.CloseIdleConnections() }

// post is one event on its way.
type post struct {
	due      time.Time // by the pace
	sent     time.Time // the POST began
	answered time.Time
	status   int    // 0: there was no answer
	id       string // if it was accepted
	err      error  // why there was no answer

	retryAfter bool // it came with the answer
}

func (p post) accepted() bool { return p.status == http.StatusAccepted }

// event posts the nth one.
func (a *app) event(ctx context.Context, n int, kind string, due time.Time) post {
	p := post{due: due, sent: time.Now()}
	body := `{"type":"` + kind + `","data":"` + strings.Repeat("x", max(a.size-2, 0)) + `"}`
	status, answer, header, err := a.do(ctx, http.MethodPost, n, "/events", body)
	p.answered, p.status, p.err, p.retryAfter = time.Now(), status, err, header.Get("Retry-After") != ""
	if p.accepted() {
		var e struct{ ID string }
		p.err = json.Unmarshal(answer, &e)
		p.id = e.ID
	}
	return p
}

// order is a call that must succeed.
func (a *app) order(ctx context.Context, method, path, body string, into any) error {
	status, answer, _, err := a.do(ctx, method, 0, path, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s: HTTP %d: %s", method, path, status, answer)
	}
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

func (a *app) do(ctx context.Context, method string, n int, path, body string) (int, []byte, http.Header, error) {
	gateway := a.target.Gateways[n%len(a.target.Gateways)]
	req, err := http.NewRequestWithContext(ctx, method, gateway+"/v1/tenants/"+a.tenant+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.target.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, resp.Header, err
}

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// app is an application that talks to the gateway.
type app struct{ p *process }

var appClient = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// try makes one call and answers its status, 0 when there was no answer, with the body.
func (a app) try(ctx context.Context, method, path, body string, header http.Header) (int, []byte) {
	req, err := http.NewRequestWithContext(ctx, method, a.p.Gateway+"/v1/tenants/"+a.p.Tenant+path, bytes.NewBufferString(body))
	if err != nil {
		return 0, nil
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Authorization", "Bearer "+a.p.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := appClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, answer
}

func (a app) call(t *testing.T, want int, method, path, body string, into any) {
	t.Helper()
	status, answer := a.try(t.Context(), method, path, body, nil)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); comesAgain(method, status, answer) && time.Now().Before(end); {
		<-again.C
		status, answer = a.try(t.Context(), method, path, body, nil)
	}
	require.Equal(t, want, status, "%s %s: %s", method, path, answer)
	if into != nil {
		require.NoError(t, json.Unmarshal(answer, into))
	}
}

// comesAgain says whether a client may ask once more as if it had not asked: a slow machine's
// Temporal answers late now and then, and its gateway has room for less.
func comesAgain(method string, status int, answer []byte) bool {
	return status == http.StatusServiceUnavailable && (method == http.MethodGet || bytes.Contains(answer, []byte(`"overloaded"`)))
}

type endpoint struct{ ID, State, Secret, URL string }

func (a app) createEndpoint(t *testing.T, body string) endpoint {
	t.Helper()
	var e endpoint
	a.call(t, http.StatusCreated, http.MethodPost, "/endpoints", body, &e)
	return e
}

type accepted struct {
	ID         string
	Duplicate  bool
	WorkflowID string `json:"workflow_id"`
	Deliveries []struct {
		EndpointID string `json:"endpoint_id"`
	}
}

func (a app) post(t *testing.T, body string) accepted {
	t.Helper()
	var e accepted
	a.call(t, http.StatusAccepted, http.MethodPost, "/events", body, &e)
	return e
}

type event struct {
	ID, Type, Status string
	WorkflowID       string `json:"workflow_id"`
	RunID            string `json:"run_id"`
	Deliveries       []delivery
}

type delivery struct {
	EndpointID    string `json:"endpoint_id"`
	Status        string
	Reason        string
	WorkflowID    string     `json:"workflow_id"`
	NextAttemptAt *time.Time `json:"next_attempt_at"`
	Attempts      []struct {
		Number       int
		StatusCode   int    `json:"status_code"`
		ResponseBody string `json:"response_body"`
		Error        string
	}
}

func (a app) event(t *testing.T, id string) event {
	t.Helper()
	var e event
	a.call(t, http.StatusOK, http.MethodGet, "/events/"+id, "", &e)
	return e
}

// ended waits until an event is no longer delivering.
func (a app) ended(t *testing.T, id string) event {
	t.Helper()
	var e event
	eventually(t, "event "+id+" ends", func() bool {
		e = a.event(t, id)
		return e.Status != "delivering"
	})
	return e
}

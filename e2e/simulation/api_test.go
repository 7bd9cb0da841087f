package simulation_test

import (
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/webhook"
)

// call makes one request of a scenario's tenant, and answers status 0 when there was no answer.
func (s *scenario) call(method, path, body, key string, into any) int {
	req, err := http.NewRequestWithContext(s.w.t.Context(), method, s.w.service.URL+"/v1/tenants/"+s.tenant+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+s.w.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.w.http.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	if into != nil && resp.StatusCode/100 == 2 && json.Unmarshal(answer, into) != nil {
		return 0
	}
	if method != http.MethodGet {
		s.note("%s %s %s: %d", method, path, short(body), resp.StatusCode)
	}
	return resp.StatusCode
}

func short(s string) string { return s[:min(len(s), 100)] }

type told struct {
	ID, Status string
	Deliveries []webhook.DeliveryReport
}

// told reads an event; its id is empty if the gateway could not say.
func (s *scenario) told(id string) (e told) {
	switch s.call(http.MethodGet, "/events/"+id, "", "", &e) {
	case http.StatusOK:
		return e
	case http.StatusNotFound:
		s.violated("lost: %s was accepted and is not known", id)
	case http.StatusGone:
		if s.history.Erased[id].IsZero() {
			s.violated("lost: %s is said to be erased, and no one asked for that", id)
		}
	}
	return told{}
}

func (s *scenario) endpointState(id string) webhook.EndpointState {
	var e struct{ State webhook.EndpointState }
	s.call(http.MethodGet, "/endpoints/"+id, "", "", &e)
	return e.State
}

// audit reads all pages of one.
func (s *scenario) audit(path string) (lines []check.Line) {
	for l := range pages[webhook.AuditLine](s, path) {
		lines = append(lines, check.Line{At: l.At, EventID: l.EventID, EndpointID: l.EndpointID, Kind: string(l.Kind), Detail: l.Detail})
	}
	return lines
}

// pages reads a list to its end, page by page.
func pages[T any](s *scenario, path string) iter.Seq[T] {
	return func(yield func(T) bool) {
		at, err := url.Parse(path)
		require.NoError(s.w.t, err)
		for next := "-"; next != ""; {
			var page struct {
				Data       []T
				NextCursor string `json:"next_cursor"`
			}
			if s.call(http.MethodGet, at.String(), "", "", &page) != http.StatusOK {
				s.violated("the list at %s is not told", path)
				return
			}
			for _, item := range page.Data {
				if !yield(item) {
					return
				}
			}
			next = page.NextCursor
			query := at.Query()
			query.Set("cursor", next)
			at.RawQuery = query.Encode()
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// hookloop is the API of a running gateway, as an application sees it.
type hookloop struct {
	Gateway, Tenant, Token string

	client *http.Client
}

// errUnavailable says that Hookloop cannot tell right now.
var errUnavailable = errors.New("unavailable")

// connect reads what `hookloop dev` wrote when it was ready.
func connect(data string) (*hookloop, error) {
	content, err := os.ReadFile(filepath.Join(data, "dev.json"))
	if err != nil {
		return nil, fmt.Errorf("start `hookloop dev` first, or say where its --data is: %w", err)
	}
	h := &hookloop{client: &http.Client{Timeout: 30 * time.Second}}
	return h, json.Unmarshal(content, h)
}

// call makes one request and reads its answer into answer, unless that is nil.
func (h *hookloop) call(ctx context.Context, method, path string, header http.Header, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if body == nil {
		raw = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, h.Gateway+"/v1/tenants/"+h.Tenant+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("Authorization", "Bearer "+h.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	said, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%s %s: %w: %s", method, path, errUnavailable, said)
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, said)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(said, answer)
}

// event is what Hookloop tells of an event.
type event struct {
	ID, Type, Status string
	Hops             int
	Origin           *struct {
		SourceID string `json:"source_id"`
		EchoOf   string `json:"echo_of"`
	}
	Deliveries []struct {
		EndpointID string `json:"endpoint_id"`
		Status     string
		Attempts   []struct {
			StatusCode int `json:"status_code"`
		}
	}
}

// deliveredTo says whether the event has arrived at an endpoint, at the first attempt.
func (e event) deliveredTo(endpointID string) bool {
	for _, d := range e.Deliveries {
		if d.EndpointID == endpointID {
			return d.Status == "delivered" && len(d.Attempts) == 1
		}
	}
	return false
}

func (h *hookloop) event(ctx context.Context, id string) (e event, err error) {
	err = h.call(ctx, http.MethodGet, "/events/"+id, nil, nil, &e)
	return e, err
}

// eventsOf finds the events a source has brought since a time. An event shows in the list a moment
// after it was accepted.
func (h *hookloop) eventsOf(ctx context.Context, sourceID, eventType string, since time.Time) (found []event, err error) {
	var list struct{ Data []struct{ ID string } }
	query := url.Values{"type": {eventType}, "after": {since.UTC().Format(time.RFC3339)}, "limit": {"250"}}
	if err := h.call(ctx, http.MethodGet, "/events?"+query.Encode(), nil, nil, &list); err != nil {
		return nil, err
	}
	for _, line := range list.Data {
		e, err := h.event(ctx, line.ID)
		if err != nil {
			return nil, err
		}
		if e.Origin != nil && e.Origin.SourceID == sourceID {
			found = append(found, e)
		}
	}
	return found, nil
}

package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"hookloop/internal/bench"
)

// errOverloaded is an event that was refused for now.
var errOverloaded = errors.New("more events come than can be accepted")

// overloadedPause is what a client waits that was refused.
const overloadedPause = 100 * time.Millisecond

// persist sends an event until it is not refused. Its time runs from the first try.
func persist(ctx context.Context, send func(context.Context) (string, error)) (string, error) {
	for {
		id, err := send(ctx)
		if !errors.Is(err, errOverloaded) {
			return id, err
		}
		select {
		case <-time.After(overloadedPause):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

func (b *loop) postEvent(ctx context.Context) (string, error) {
	body := `{"type":"bench.event","data":` + string(payload(b.options.Size)) + `}`
	answer, err := b.post(ctx, "/events", []byte(body))
	if err != nil {
		return "", err
	}
	var accepted struct {
		ID string `json:"id"`
	}
	return accepted.ID, json.Unmarshal(answer, &accepted)
}

// httpClient keeps a connection for each client.
var httpClient = &http.Client{Timeout: bench.Patience, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}

func (b *loop) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+b.hookloop.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("RateLimit") != "" {
		return nil, errOverloaded
	}
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("POST %s: HTTP %d: %s", path, resp.StatusCode, answer)
	}
	return answer, err
}

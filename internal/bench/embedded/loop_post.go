package embedded

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/bench"
)

// overloadedPause is what a client waits that was refused.
const overloadedPause = 100 * time.Millisecond

// persist sends an event until it is not refused for now. Its time runs from the first try.
func persist(ctx context.Context, send func(context.Context) (string, error)) (string, error) {
	for {
		id, err := send(ctx)
		if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Code != api.Overloaded {
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
	accepted, err := b.hooks.Events.Send(api.NewEvent{Type: "bench.event", Data: payload(b.options.Size)}).Do(ctx)
	return accepted.ID, err
}

// payload is a JSON string of size bytes.
func payload(size int) []byte { return []byte(`"` + strings.Repeat("x", size-2) + `"`) }

// httpClient keeps a connection for each client.
var httpClient = &http.Client{Timeout: bench.Patience, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}

// connect is an app of the Hookloop that is measured. It repeats nothing by itself: that would be
// another post.
func connect(h *Hookloop) (*client.Client, error) {
	return client.New(client.Config{URL: h.Gateway, Tenant: h.Tenant, Token: h.Token, UserAgent: "hookloop-bench", Attempts: 1, HTTP: httpClient})
}

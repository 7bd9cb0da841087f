package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// wire is the network between the worker and an endpoint: sound until a test spoils it.
type wire struct {
	*toxiproxy.Proxy

	t *testing.T
}

// startWire leads to upstream, a URL, and ends with the test.
func startWire(t *testing.T, upstream string) wire {
	t.Helper()
	_, host, _ := strings.Cut(upstream, "://")
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "endpoint", "127.0.0.1:0", host)
	require.NoError(t, p.Start())
	t.Cleanup(p.Stop)
	return wire{Proxy: p, t: t}
}

// fault is what can happen to what flows one way: "downstream" is the answer.
type fault struct{ kind, stream, attributes string }

func (w wire) spoil(f fault) {
	w.t.Helper()
	_, err := w.Toxics.AddToxicJson(strings.NewReader(
		`{"name":"fault","type":"` + f.kind + `","stream":"` + f.stream + `","attributes":` + f.attributes + `}`))
	require.NoError(w.t, err)
}

func (w wire) mend() {
	w.t.Helper()
	require.NoError(w.t, w.Toxics.RemoveToxic(w.t.Context(), "fault"))
}

// told is an event as the API tells it, with all that is known of each attempt.
type told struct {
	ID, Status string
	Deliveries []webhook.DeliveryReport
}

// told answers nothing while the gateway cannot say, as after Temporal was away.
func (a app) told(ctx context.Context, id string) told {
	var e told
	status, body := a.try(ctx, http.MethodGet, "/events/"+id, "", nil)
	if status != http.StatusOK || json.Unmarshal(body, &e) != nil {
		return told{}
	}
	return e
}

// delivery waits until the one delivery of an event is as wanted. Its attempts must be numbered
// without a gap.
func (a app) delivery(t *testing.T, id, what string, wanted func(webhook.DeliveryReport) bool) webhook.DeliveryReport {
	t.Helper()
	var d webhook.DeliveryReport
	eventually(t, "the delivery of "+id+" "+what, func() bool {
		e := a.told(t.Context(), id)
		if len(e.Deliveries) != 1 {
			return false
		}
		d = e.Deliveries[0]
		return wanted(d)
	})
	for i, made := range d.Attempts {
		require.Equal(t, i+1, made.Number)
	}
	return d
}

func (a app) attempted(t *testing.T, id string, n int) webhook.DeliveryReport {
	t.Helper()
	return a.delivery(t, id, "has attempts on record", func(d webhook.DeliveryReport) bool { return len(d.Attempts) >= n })
}

func (a app) settled(t *testing.T, id string) webhook.DeliveryReport {
	t.Helper()
	return a.delivery(t, id, "ends", func(d webhook.DeliveryReport) bool { return d.Status.Ended() })
}

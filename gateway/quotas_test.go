package gateway_test

import (
	"context"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/audit"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// newRigOf is a gateway with the same limits for each tenant.
func newRigOf(t *testing.T, l quota.Limits) *rig {
	t.Helper()
	return newRigWith(t, func(c *gateway.Config) {
		q, err := quota.New(quota.Config{Table: quota.Table{Default: l}, Readers: 2})
		require.NoError(t, err)
		c.Quotas = q
	})
}

// requireExceeded checks a refusal in all it must say.
func requireExceeded(t *testing.T, w *httptest.ResponseRecorder, policy, left string) {
	t.Helper()
	refused(t, w, 429, api.QuotaExceeded)
	require.Equal(t, policy, w.Header().Get("RateLimit-Policy"))
	seconds := w.Header().Get("Retry-After")
	n, err := strconv.Atoi(seconds)
	require.NoError(t, err)
	require.Positive(t, n)
	require.Equal(t, left+seconds, w.Header().Get("RateLimit"))
}

// TestPostsBeyondTheQuota: nothing half done, and another tenant notices nothing.
func TestPostsBeyondTheQuota(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, quota.Limits{PostsPerSecond: 0.001})
	const event = `{"type":"a.b","data":{}}`
	require.Equal(t, 202, r.do("POST", "/events", event).Code)
	for _, path := range []string{"/events", "/events/evt_1/redeliver", "/endpoints/ep_1/test"} {
		requireExceeded(t, r.do("POST", path, event), `"posts";q=1;w=1000`, `"posts";r=0;t=`)
	}
	require.Equal(t, 1, r.temporal.Starts())
	require.Equal(t, 202, r.do("POST", "=/v1/tenants/other/events", event).Code)
	require.Equal(t, 200, r.do("GET", "/endpoints", "").Code)
	require.Contains(t, r.do("GET", "=/metrics", "").Body.String(), `hookloop_http_requests_total{code="429"`)
}

func TestBytesBeyondTheQuota(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, quota.Limits{BytesPerDay: 1000})
	event := `{"type":"a.b","data":"` + strings.Repeat("x", 600) + `"}`
	require.Equal(t, 202, r.do("POST", "/events", event).Code)
	requireExceeded(t, r.do("POST", "/events", event), `"bytes";q=1000;qu="content-bytes";w=86400`, `"bytes";r=0;t=`)
	require.Equal(t, 1, r.temporal.Starts())
	require.Equal(t, 202, r.do("POST", "/events", `{"type":"a.b","data":1}`).Code)
}

func TestObjectsBeyondTheQuota(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, quota.Limits{Endpoints: 1, Sources: 1})
	const endpoint, source = `{"url":"https://example.com/"}`, `{"provider":"hmac","config":{"kind":"token","header":"X-T","secrets":["tttttttttt"]}}`
	require.Equal(t, 201, r.do("POST", "/endpoints", endpoint, "Idempotency-Key", "k").Code)
	require.Equal(t, 201, r.do("POST", "/endpoints", endpoint, "Idempotency-Key", "k").Code, "a repeat makes nothing")
	requireExceeded(t, r.do("POST", "/endpoints", endpoint, "Idempotency-Key", "other"), `"endpoints";q=1;qu="endpoints"`, `"endpoints";r=0;t=`)
	requireExceeded(t, r.do("POST", "/endpoints", endpoint), `"endpoints";q=1;qu="endpoints"`, `"endpoints";r=0;t=`)
	require.Equal(t, 201, r.do("POST", "/sources", source, "Idempotency-Key", "k").Code)
	require.Equal(t, 201, r.do("POST", "/sources", source, "Idempotency-Key", "k").Code, "a repeat makes nothing")
	requireExceeded(t, r.do("POST", "/sources", source), `"sources";q=1;qu="sources"`, `"sources";r=0;t=`)
	require.Equal(t, 201, r.do("POST", "=/v1/tenants/other/endpoints", endpoint).Code)
}

// stuckAudits are a trail that takes its time for one tenant.
type stuckAudits struct {
	gateway.Audits

	begun, let chan struct{}
}

func (s stuckAudits) Tenant(_ context.Context, tenant string, _ webhook.AuditQuery, _ []byte) (audit.Page, error) {
	if tenant == "acme" {
		s.begun <- struct{}{}
		<-s.let
	}
	return audit.Page{}, nil
}

// TestReadsBeyondTheQuota: a tenant that reads much leaves posts, its own too, alone, and other
// tenants' reads.
func TestReadsBeyondTheQuota(t *testing.T) {
	t.Parallel()
	s := stuckAudits{begun: make(chan struct{}, 8), let: make(chan struct{})}
	q, err := quota.New(quota.Config{Table: quota.Table{Default: quota.Limits{Reads: 1}}, Readers: 2})
	require.NoError(t, err)
	r := newRigWith(t, func(c *gateway.Config) {
		s.Audits, c.Audits, c.Quotas = c.Audits, s, q
	})
	r.token = sign(t, with(map[string]any{"scope": "audit:read events:read events:write"}))
	var all sync.WaitGroup
	all.Go(func() { r.do("GET", "/audit", "") })
	<-s.begun
	for _, path := range []string{"/audit", "/events", "/events/evt_1", "/events/evt_1/audit"} {
		requireExceeded(t, r.do("GET", path, ""), `"reads";q=1;qu="concurrent-requests"`, `"reads";r=0;t=`)
	}
	require.Equal(t, 202, r.do("POST", "/events", `{"type":"a.b","data":{}}`).Code)
	require.Equal(t, 200, r.do("GET", "=/v1/tenants/other/audit", "").Code)
	close(s.let)
	all.Wait()
	require.Equal(t, 200, r.do("GET", "/audit", "").Code)
}

// TestItemsBeyondTheQuota: a third party is told to come again, and none of its items is taken.
func TestItemsBeyondTheQuota(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, quota.Limits{PostsPerSecond: 0.001})
	created := read[map[string]any](t, r.do("POST", "/sources", `{"provider":"hmac","config":{"kind":"token","header":"X-T","secrets":["tttttttttt"]}}`), 201)
	in := "=/in/" + created["id"].(string)
	require.Equal(t, 200, r.do("POST", in, `{"id":1}`, "X-T", "tttttttttt", "Authorization", "").Code)
	w := r.do("POST", in, `{"id":2}`, "X-T", "tttttttttt", "Authorization", "")
	requireExceeded(t, w, `"posts";q=1;w=1000`, `"posts";r=0;t=`)
	require.Equal(t, 1, r.temporal.Starts())
}

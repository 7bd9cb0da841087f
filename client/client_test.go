package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/client"
)

// gateway plays one: it answers in turn, the last answer again and again, and remembers what it was
// asked.
type gateway struct {
	answers  []answer
	requests []asked
}

type answer struct {
	status     int // 0: the connection breaks
	body       string
	retryAfter string
}

type asked struct {
	at                            time.Time
	method, uri, body, key, token string
}

func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, _ := io.ReadAll(r.Body)
	g.requests = append(g.requests, asked{
		time.Now(), r.Method, r.URL.RequestURI(), string(body), r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization"),
	})
	a := g.answers[min(len(g.requests), len(g.answers))-1]
	if a.status == 0 {
		return nil, errors.New("connection reset")
	}
	h := http.Header{}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func (g *gateway) client(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{
		URL: "https://hooks.test/", Tenant: "ac/me", Token: "s3cr3t", HTTP: &http.Client{Transport: g, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	})
	require.NoError(t, err)
	return c
}

const (
	unavailable = `{"code":"unavailable","detail":"Temporal cannot be reached"}`
	accepted    = `{"id":"evt_1","type":"order.paid","deliveries":[{"endpoint_id":"ep_1"}]}`
)

func TestSendIsByteForByte(t *testing.T) {
	t.Parallel()
	g := &gateway{answers: []answer{{status: 202, body: accepted}}}
	e, err := g.client(t).Events.Send(api.NewEvent{
		Type: `a"data":null`, Data: json.RawMessage(`{ "price": 1.10, "html": "<b>" }`), Timestamp: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
	}).IdempotencyKey("order-1").Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, "evt_1", e.ID)
	require.Equal(t, []api.AcceptedDelivery{{EndpointID: "ep_1"}}, e.Deliveries)
	r := g.requests[0]
	require.Equal(t, `{"type":"a\"data\":null","data":{ "price": 1.10, "html": "<b>" },"timestamp":"2026-01-31T12:00:00Z"}`, r.body)
	require.Equal(t, "POST", r.method)
	require.Equal(t, "/v1/tenants/ac%2Fme/events", r.uri)
	require.Equal(t, "order-1", r.key)
	require.Equal(t, "Bearer s3cr3t", r.token)

	_, err = g.client(t).Events.Send(api.NewEvent{Type: "a", Data: json.RawMessage(`{`)}).Do(t.Context())
	require.ErrorContains(t, err, "not valid JSON")
	require.Len(t, g.requests, 1)
}

// TestRepeatsCarryOneKey: however the attempt before ended, one event is accepted.
func TestRepeatsCarryOneKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{answers: []answer{{}, {status: 503, body: unavailable, retryAfter: "5"}, {status: 504, body: "<html>"}, {status: 202, body: accepted}}}
		call := g.client(t).Events.Send(api.NewEvent{Type: "a", Data: json.RawMessage(`1`)})
		_, err := call.Do(t.Context())
		require.NoError(t, err)
		require.Len(t, g.requests, 4)
		first := g.requests[0]
		require.NotEmpty(t, first.key)
		for _, r := range g.requests {
			require.Equal(t, first.key, r.key)
		}
		require.GreaterOrEqual(t, g.requests[2].at.Sub(g.requests[1].at), 5*time.Second, "it heeds Retry-After")
		_, err = call.Do(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, first.key, g.requests[4].key, "another Do is another event")
	})
}

func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	full := answer{status: 429, body: `{"code":"quota_exceeded","detail":"no"}`, retryAfter: "1"}
	away := answer{status: 503, body: unavailable}
	approve := func(c *client.Client) error {
		_, err := c.Approvals.Approve("ep_1", api.Release{}).Do(context.Background())
		return err
	}
	get := func(c *client.Client) error {
		_, err := c.Events.Get("evt_1").Do(context.Background())
		return err
	}
	for name, tt := range map[string]struct {
		answer answer
		call   func(*client.Client) error
		times  int
	}{
		"a read":                           {away, get, 4},
		"a read without an answer":         {answer{}, get, 4},
		"a refusal for good":               {answer{status: 404, body: `{"code":"not_found","detail":"no"}`}, get, 1},
		"no gateway at all":                {answer{status: 200, body: `<html>`}, get, 1},
		"a wait that is too long":          {answer{status: 503, body: unavailable, retryAfter: "3600"}, get, 1},
		"a decision that may be made":      {away, approve, 1},
		"a decision that surely was not":   {full, approve, 4},
		"a decision without an answer yet": {answer{}, approve, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{answers: []answer{tt.answer}}
				require.Error(t, tt.call(g.client(t)))
				require.Len(t, g.requests, tt.times)
			})
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	g := &gateway{answers: []answer{{status: 422, body: `{"code":"invalid_field","detail":"limit: too big",
		"errors":[{"field":"limit","message":"too big"},{"field":"after","message":"no time"}]}`}}}
	_, err := g.client(t).Endpoints.Get("ep_1").Do(t.Context())
	require.EqualError(t, err, "limit: too big (invalid_field, HTTP 422): after no time")
	var refused *client.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, api.InvalidField, refused.Code)
	require.False(t, client.IsNotFound(err))

	g = &gateway{answers: []answer{{status: 307, body: "{}"}}}
	_, err = g.client(t).Endpoints.Get("ep_1").Do(t.Context())
	require.EqualError(t, err, "https://hooks.test answered HTTP 307 without saying why; is it a Hookloop gateway?")

	g = &gateway{answers: []answer{{status: 200, body: `{"url":1}`}}}
	_, err = g.client(t).Endpoints.Get("ep_1").Do(t.Context())
	require.ErrorContains(t, err, "is not understood")
	raw, err := g.client(t).Endpoints.Get("ep_1").JSON(t.Context())
	require.NoError(t, err)
	require.JSONEq(t, `{"url":1}`, string(raw))

	_, err = g.client(t).Endpoints.Get("ep_1").IdempotencyKey("k").Do(t.Context())
	require.EqualError(t, err, "GET /v1/tenants/ac%2Fme/endpoints/ep_1 takes no Idempotency-Key")
}

func TestLists(t *testing.T) {
	t.Parallel()
	g := &gateway{answers: []answer{
		{status: 200, body: `{"data":[{"id":"evt_1"},{"id":"evt_2"}],"next_cursor":"two"}`},
		{status: 200, body: `{"data":[{"id":"evt_3"}],"next_cursor":null}`},
	}}
	all := g.client(t).Events.List(api.EventQuery{Status: api.EventFailed, PageQuery: api.PageQuery{Limit: 2}})
	var ids []string
	for e, err := range all.All(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, e.ID)
	}
	require.Equal(t, []string{"evt_1", "evt_2", "evt_3"}, ids)
	require.Equal(t, "/v1/tenants/ac%2Fme/events?limit=2&status=failed", g.requests[0].uri)
	require.Equal(t, "/v1/tenants/ac%2Fme/events?cursor=two&limit=2&status=failed", g.requests[1].uri)

	g.requests = nil
	for e, err := range all.Raw().All(t.Context()) {
		require.NoError(t, err)
		require.JSONEq(t, `{"id":"evt_1"}`, string(e))
		break
	}
	require.Len(t, g.requests, 1, "no page is asked for that is not looked at")

	g = &gateway{answers: []answer{{status: 200, body: `{"data":[],"next_cursor":"same"}`}}}
	for _, err := range g.client(t).Sources.List(api.PageQuery{}).Pages(t.Context()) {
		if err != nil {
			require.ErrorContains(t, err, "does not end")
		}
	}
	require.Len(t, g.requests, 2)
}

func TestWaitDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{answers: []answer{
			{status: 200, body: `{"status":"delivering"}`}, {status: 503, body: unavailable, retryAfter: "3600"}, {status: 200, body: `{"status":"failed"}`},
		}}
		e, err := g.client(t).Events.WaitDelivered(t.Context(), "evt_1")
		require.ErrorIs(t, err, client.ErrUndelivered)
		require.Equal(t, api.EventFailed, e.Status)

		g = &gateway{answers: []answer{{status: 200, body: `{"status":"delivering"}`}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e, err = g.client(t).Events.WaitDelivered(ctx, "evt_1")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, api.EventDelivering, e.Status, "the last answer")
		require.Less(t, len(g.requests), 50, "it asks ever more rarely")

		g = &gateway{answers: []answer{{status: 404, body: `{"code":"not_found","detail":"no"}`}}}
		_, err = g.client(t).Events.WaitDelivered(t.Context(), "evt_1")
		require.True(t, client.IsNotFound(err))
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "ftp://h", "127.0.0.1:8080", "http://", "http://u:p4ssw0rd@h", "http://h?q=1", "http://h#f", "http://h:x"} {
		_, err := client.New(client.Config{URL: url, Tenant: "t", Token: "x"})
		require.ErrorContains(t, err, "gateway")
		require.NotContains(t, err.Error(), "p4ssw0rd")
	}
	_, err := client.New(client.Config{URL: "http://h", Token: "x"})
	require.ErrorContains(t, err, "tenant")
	_, err = client.New(client.Config{URL: "http://h", Tenant: "t"})
	require.ErrorContains(t, err, "token")
}

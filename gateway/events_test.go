package gateway_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// acceptedEvent is the answer to a post.
type acceptedEvent struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Timestamp  time.Time `json:"timestamp"`
	Duplicate  bool      `json:"duplicate"`
	Deliveries []struct {
		EndpointID string `json:"endpoint_id"`
	} `json:"deliveries"`
	WorkflowID string `json:"workflow_id"`
}

func TestPostEventStartsItsWorkflow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 4, 5, 6, 789_123_456, time.UTC)
	r := newRigWith(t, func(c *gateway.Config) { c.Now = func() time.Time { return now } })
	all := r.endpoint(`{"url":"https://a.example"}`)
	some := r.endpoint(`{"url":"https://b.example","event_types":["contact.updated"]}`)
	r.endpoint(`{"url":"https://c.example","event_types":["contact.deleted"]}`)

	data := `{"b": 1.10,"a":12345678901234567890, "c":"\u00e9<&>" }`
	w := r.do("POST", "/events", `{"type":"contact.updated", "data": `+data+` }`)
	got := read[acceptedEvent](t, w, 202)
	require.Regexp(t, `^evt_[0-9a-z]{26}$`, got.ID)
	require.Equal(t, "contact.updated", got.Type)
	require.Equal(t, now.Truncate(time.Millisecond), got.Timestamp)
	require.False(t, got.Duplicate)
	require.Equal(t, "event/acme/"+got.ID, got.WorkflowID)
	require.Equal(t, "/v1/tenants/acme/events/"+got.ID, w.Header().Get("Location"))
	require.Len(t, got.Deliveries, 2)

	run := r.temporal.Run(got.WorkflowID)
	require.NotNil(t, run)
	var in workflows.EventInput
	var raw converter.RawValue
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(run.Input, &in, &raw))
	require.Equal(t, webhook.Event{Tenant: "acme", ID: got.ID, Type: "contact.updated", Timestamp: got.Timestamp}, in.Event)
	require.ElementsMatch(t, []string{all, some}, in.EndpointIDs)
	require.Equal(t, data, string(raw.Payload().GetData()))
	require.Equal(t, "contact.updated → 2 endpoints", run.Options.StaticSummary)
	require.Equal(t, workflows.TaskQueue, run.Options.TaskQueue)
	require.True(t, run.Options.EnableEagerStart)
	tenant, _ := run.Options.TypedSearchAttributes.GetKeyword(workflows.Tenant)
	outcome, _ := run.Options.TypedSearchAttributes.GetKeyword(workflows.Outcome)
	require.Equal(t, "acme delivering", tenant+" "+outcome)
}

func TestEventForNobodyIsAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.do("POST", "/events", `{"type":"a.b","data":null,"timestamp":"2026-01-31T12:00:00+02:00"}`)
	got := read[acceptedEvent](t, w, 202)
	require.Contains(t, w.Body.String(), `"deliveries":[]`)
	require.Equal(t, "2026-01-31T10:00:00Z", got.Timestamp.Format(time.RFC3339))
	require.Equal(t, 1, r.temporal.Starts())
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := []string{"Idempotency-Key", "order-1"}
	first := read[acceptedEvent](t, r.do("POST", "/events", `{"type":"a.b","data":{"x":1}}`, key...), 202)
	require.Equal(t, "evt_7d9xwycawhzgk0rc765jf2jtqb", first.ID, "derived ids must stay as they are forever")

	again := read[acceptedEvent](t, r.do("POST", "/events", ` {"data":{"x":1} ,"type":"a.b"}`, key...), 202)
	require.True(t, again.Duplicate)
	again.Duplicate = false
	require.Equal(t, first, again)
	dated := `{"type":"a.b","data":{"x":1},"timestamp":"` + first.Timestamp.Format(time.RFC3339Nano) + `"}`
	require.True(t, read[acceptedEvent](t, r.do("POST", "/events", dated, key...), 202).Duplicate)

	for name, body := range map[string]string{
		"data":      `{"type":"a.b","data":{"x":2}}`,
		"bytes":     `{"type":"a.b","data":{"x": 1}}`,
		"type":      `{"type":"a.c","data":{"x":1}}`,
		"timestamp": `{"type":"a.b","data":{"x":1},"timestamp":"2001-01-01T00:00:00Z"}`,
	} {
		p := refused(t, r.do("POST", "/events", body, key...), 409, api.IdempotencyConflict)
		require.Contains(t, p.Detail, first.ID, name)
	}
	other := read[acceptedEvent](t, r.do("POST", "=/v1/tenants/other/events", `{"type":"a.b","data":{"x":1}}`, key...), 202)
	require.NotEqual(t, first.ID, other.ID)
	require.Equal(t, 2, r.temporal.Starts())
}

func TestIdempotencyRace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	answers := make([]*httptest.ResponseRecorder, 50)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i] = r.do("POST", "/events", `{"type":"a.b","data":1}`, "Idempotency-Key", "same")
		})
	}
	all.Wait()
	ids, fresh := map[string]bool{}, 0
	for _, w := range answers {
		a := read[acceptedEvent](t, w, 202)
		ids[a.ID] = true
		if !a.Duplicate {
			fresh++
		}
	}
	require.Len(t, ids, 1)
	require.Equal(t, 1, fresh)
	require.Equal(t, 1, r.temporal.Starts())
}

func TestBadEvents(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	fill := webhook.MaxBody - len(`{"type":"a.b","data":""}`)
	big := func(n int) string { return `{"type":"a.b","data":"` + strings.Repeat("x", n) + `"}` }
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
		code   webhook.Code
		field  string
	}{
		"empty":                {"", []string{"Content-Type", "application/json"}, 400, webhook.BadJSON, ""},
		"not JSON":             {`{"type"`, nil, 400, webhook.BadJSON, ""},
		"not an object":        {`[1]`, nil, 400, webhook.BadJSON, ""},
		"two objects":          {`{"type":"a.b","data":1}{}`, nil, 400, webhook.BadJSON, ""},
		"invalid UTF-8":        {"{\"type\":\"a.b\",\"data\":\"\xff\"}", nil, 400, webhook.BadJSON, ""},
		"duplicate key":        {`{"type":"a.b","data":1,"data":2}`, nil, 422, webhook.Invalid, "data"},
		"no type":              {`{"data":1}`, nil, 422, webhook.Invalid, "type"},
		"type not a string":    {`{"type":7,"data":1}`, nil, 422, webhook.Invalid, "type"},
		"ill-formed type":      {`{"type":"Contact Updated","data":1}`, nil, 422, webhook.Invalid, "type"},
		"long type":            {`{"type":"` + strings.Repeat("a", 129) + `","data":1}`, nil, 422, webhook.Invalid, "type"},
		"no data":              {`{"type":"a.b"}`, nil, 422, webhook.Invalid, "data"},
		"unknown field":        {`{"type":"a.b","data":1,"extra":1}`, nil, 422, webhook.Invalid, "extra"},
		"another case":         {`{"Type":"a.b","data":1}`, nil, 422, webhook.Invalid, "Type"},
		"ill-formed timestamp": {`{"type":"a.b","data":1,"timestamp":"yesterday"}`, nil, 422, webhook.Invalid, "timestamp"},
		"year 10000":           {`{"type":"a.b","data":1,"timestamp":"9999-12-31T23:59:59-01:00"}`, nil, 422, webhook.Invalid, "timestamp"},
		"too deep":             {`{"type":"a.b","data":` + deep + `}`, nil, 422, webhook.Invalid, "data"},
		"too large":            {big(fill + 1), nil, 413, api.PayloadTooLarge, ""},
		"no content type":      {`{"type":"a.b","data":1}`, []string{"Content-Type", ""}, 415, api.UnsupportedMediaType, ""},
		"another content type": {`{"type":"a.b","data":1}`, []string{"Content-Type", "text/plain"}, 415, api.UnsupportedMediaType, ""},
		"another charset":      {`{"type":"a.b","data":1}`, []string{"Content-Type", "application/json; charset=latin1"}, 415, api.UnsupportedMediaType, ""},
		"compressed":           {`{"type":"a.b","data":1}`, []string{"Content-Encoding", "gzip"}, 415, api.UnsupportedMediaType, ""},
		"key with space":       {`{"type":"a.b","data":1}`, []string{"Idempotency-Key", "a b"}, 422, webhook.Invalid, "Idempotency-Key"},
		"key too long":         {`{"type":"a.b","data":1}`, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 422, webhook.Invalid, "Idempotency-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := refused(t, r.do("POST", "/events", c.body, c.header...), c.status, c.code)
			if c.field != "" {
				require.Equal(t, c.field, p.Errors[0].Field)
			}
			require.Zero(t, r.temporal.Starts())
			require.Empty(t, r.log.String())
		})
	}
	r := newRig(t)
	require.Equal(t, 202, r.do("POST", "/events", big(fill)).Code, "1 MiB is allowed")
	require.Equal(t, 202, r.do("POST", "/events", big(1), "Content-Type", "application/json; charset=UTF-8").Code)
}

func TestEmptyAndDoubleIdempotencyKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, keys := range [][]string{{""}, {"a", "b"}} {
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/tenants/acme/events", strings.NewReader(`{"type":"a.b","data":1}`))
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Content-Type", "application/json")
		req.Header["Idempotency-Key"] = keys
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		refused(t, w, 422, webhook.Invalid)
	}
}

// TestChunkedBodyHasTheSameLimit: a body that does not say its length is counted while it is read.
func TestChunkedBodyHasTheSameLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := `{"type":"a.b","data":"` + strings.Repeat("x", webhook.MaxBody) + `"}`
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/tenants/acme/events", struct{ *strings.Reader }{strings.NewReader(body)})
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	require.EqualValues(t, -1, req.ContentLength)
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	refused(t, w, 413, api.PayloadTooLarge)
}

func TestOutOfReachIs503(t *testing.T) {
	t.Parallel()
	const event = `{"type":"a.b","data":1}`
	for name, err := range map[string]error{
		"unavailable": serviceerror.NewUnavailable("no"), "deadline": serviceerror.NewDeadlineExceeded("no"),
		"exhausted": &serviceerror.ResourceExhausted{Message: "no"}, "own deadline": context.DeadlineExceeded,
		"namespace":        serviceerror.NewNamespaceNotFound("no"),
		"not prepared yet": serviceerror.NewInvalidArgument("Namespace hookloop has no mapping defined for search attribute Tenant"),
		"nothing to list":  serviceerror.NewInvalidArgument("invalid query: invalid search attribute: Tenant"),
	} {
		r := newRig(t)
		r.temporal.Down = err
		for _, w := range []*httptest.ResponseRecorder{
			r.do("POST", "/events", event), r.do("GET", "/events", ""), r.do("GET", "/events/evt_01jzc8m3v7q2w5x9y1b4d6f8hk", ""),
		} {
			p := refused(t, w, 503, api.Unavailable)
			require.Equal(t, "5", w.Header().Get("Retry-After"), name)
			require.Contains(t, p.Detail, "Temporal")
		}
	}
	r := newRig(t)
	r.registry.down = errors.New("database is locked")
	p := refused(t, r.do("POST", "/events", event), 503, api.Unavailable)
	require.NotContains(t, p.Detail, "locked")
	require.Zero(t, r.temporal.Starts())
}

// endpoint creates one and gives its id.
func (r *rig) endpoint(body string) string {
	r.t.Helper()
	return read[struct{ ID string }](r.t, r.do("POST", "/endpoints", body), 201).ID
}

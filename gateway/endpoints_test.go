package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// endpoint is an endpoint as the API shows it.
type endpoint struct {
	ID          string            `json:"id"`
	URL         string            `json:"url"`
	State       string            `json:"state"`
	StateReason string            `json:"state_reason"`
	EventTypes  []string          `json:"event_types"`
	Description string            `json:"description"`
	Owner       string            `json:"owner"`
	Headers     map[string]string `json:"headers"`
	Metadata    map[string]string `json:"metadata"`
	Schedule    []string          `json:"schedule"`
	Timeout     string            `json:"timeout"`
	Version     int               `json:"version"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	RateLimit   *rateLimit        `json:"rate_limit"`
	Approval    approvalPolicy    `json:"approval"`
	Breaker     string            `json:"breaker"`
	Secret      string            `json:"secret"`
}

type approvalPolicy struct{ After, Timeout string }

type rateLimit struct {
	PerSecond float64 `json:"per_second"`
	Burst     int     `json:"burst"`
}

func TestEndpointFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.do("POST", "/endpoints", `{"url":"https://example.com/hooks?x=1"}`)
	e := read[endpoint](t, w, 201)
	require.Equal(t, "/v1/tenants/acme/endpoints/"+e.ID, w.Header().Get("Location"))
	require.Equal(t, "active", e.State)
	require.Equal(t, []string{"0s", "5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"}, e.Schedule)
	require.Equal(t, "15s", e.Timeout)
	require.Equal(t, approvalPolicy{"1h", "168h"}, e.Approval)
	require.Contains(t, w.Body.String(), `"approval":{"after":"1h","timeout":"168h"}`)
	require.NotContains(t, w.Body.String(), "state_reason")
	require.Equal(t, 1, e.Version)
	_, err := signature.ParseSecret(e.Secret)
	require.NoError(t, err)
	require.Contains(t, w.Body.String(), `"event_types":[]`)

	got := r.do("GET", "/endpoints/"+e.ID, "")
	require.NotContains(t, got.Body.String(), "whsec_")
	shown := read[endpoint](t, got, 200)
	require.Equal(t, e.URL, shown.URL)
	require.Equal(t, e.Secret, read[struct{ Secret string }](t, r.do("GET", "/endpoints/"+e.ID+"/secret", ""), 200).Secret)
	require.Equal(t, []string{"acme secret-read " + e.ID + " by tester"}, r.registry.recorded)
	refused(t, r.do("GET", "=/v1/tenants/other/endpoints/"+e.ID, ""), 404, webhook.NotFound)

	require.Equal(t, 204, r.do("DELETE", "/endpoints/"+e.ID, "").Code)
	for _, c := range [][3]string{
		{"GET", "", ""}, {"DELETE", "", ""}, {"PATCH", "", "{}"}, {"GET", "/secret", ""}, {"POST", "/secret/rotate", ""}, {"POST", "/test", ""},
	} {
		refused(t, r.do(c[0], "/endpoints/"+e.ID+c[1], c[2]), 404, webhook.NotFound)
		refused(t, r.do(c[0], "/endpoints/ep_x"+c[1], c[2]), 404, webhook.NotFound)
	}
	require.Zero(t, r.temporal.Starts())
	require.NotContains(t, r.log.String(), "whsec_")
}

const everyField = `{
	"url":"http://example.com","event_types":["a.b","c"],"description":"d","owner":"customer 1","headers":{"X-Key":"v","X-Other":"o"},
	"metadata":{"team":"crm","tier":"1"},"rate_limit":{"per_second":2.5,"burst":7},"schedule":["0s","90s","24h"],"timeout":"30s",
	"approval":{"after":"90s","timeout":"720h"},
	"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`

func TestEveryField(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := read[endpoint](t, r.do("POST", "/endpoints", everyField), 201)
	require.Equal(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", e.Secret)
	require.Equal(t, []string{"0s", "1m30s", "24h"}, e.Schedule)
	require.Equal(t, "30s", e.Timeout)
	require.Equal(t, &rateLimit{2.5, 7}, e.RateLimit)
	require.Equal(t, approvalPolicy{"1m30s", "720h"}, e.Approval)

	patched := func(body string) endpoint {
		return read[endpoint](t, r.do("PATCH", "/endpoints/"+e.ID, body), 200)
	}
	e.Secret = ""
	for body, change := range map[string]func(*endpoint){
		`{"owner":"Kündin 2"}`:                           func(w *endpoint) { w.Owner = "Kündin 2" },
		`{"owner":null}`:                                 func(w *endpoint) { w.Owner = "" },
		`{"description":"new"}`:                          func(w *endpoint) { w.Description = "new" },
		`{"headers":{"X-Key":null,"X-New":"n"}}`:         func(w *endpoint) { w.Headers = map[string]string{"X-Other": "o", "X-New": "n"} },
		`{"metadata":{"tier":"2"}}`:                      func(w *endpoint) { w.Metadata["tier"] = "2" },
		`{"event_types":["order.*","*","Order-1.Paid"]}`: func(w *endpoint) { w.EventTypes = []string{"order.*", "*", "Order-1.Paid"} },
		`{"url":"https://b.example","event_types":[]}`:   func(w *endpoint) { w.URL, w.EventTypes = "https://b.example", []string{} },
		`{"headers":null,"metadata":null}`:               func(w *endpoint) { w.Headers, w.Metadata = map[string]string{}, map[string]string{} },
		`{"timeout":null,"event_types":null}`:            func(w *endpoint) { w.Timeout, w.EventTypes = "15s", []string{} },
		`{"schedule":["1s"],"description":null}`:         func(w *endpoint) { w.Schedule, w.Description = []string{"1s"}, "" },
		`{"schedule":["1h0m1s","0s"],"timeout":"1.5s"}`:  func(w *endpoint) { w.Schedule, w.Timeout = []string{"1h0m1s", "0s"}, "1.5s" },
		`{"rate_limit":null}`:                            func(w *endpoint) { w.RateLimit = nil },
		`{"rate_limit":{"per_second":0.5}}`:              func(w *endpoint) { w.RateLimit = &rateLimit{0.5, 7} },
		`{"rate_limit":{"burst":null}}`:                  func(w *endpoint) { w.RateLimit = &rateLimit{2.5, 3} },
		`{"approval":null}`:                              func(w *endpoint) { w.Approval = approvalPolicy{"1h", "168h"} },
		`{"approval":{"after":"1s"}}`:                    func(w *endpoint) { w.Approval.After = "1s" },
		`{"approval":{"timeout":null}}`:                  func(w *endpoint) { w.Approval.Timeout = "168h" },
		`{"approval":{"after":null,"timeout":"2160h"}}`:  func(w *endpoint) { w.Approval = approvalPolicy{"1h", "2160h"} },
		`{"approval":{}}`:                                func(*endpoint) {},
		`{}`:                                             func(*endpoint) {},
	} {
		before := read[endpoint](t, r.do("GET", "/endpoints/"+e.ID, ""), 200)
		want := before
		change(&want)
		got := patched(body)
		require.Equal(t, before.Version+1, got.Version)
		want.Version, want.UpdatedAt = got.Version, got.UpdatedAt
		require.Equal(t, want, got, body)
		r.restore(e.ID, everyField)
	}
	secret := read[struct{ Secret string }](t, r.do("GET", "/endpoints/"+e.ID+"/secret", ""), 200)
	require.Equal(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", secret.Secret)
}

// restore patches an endpoint back to what body created.
func (r *rig) restore(id, body string) {
	r.t.Helper()
	var all map[string]any
	require.NoError(r.t, json.Unmarshal([]byte(body), &all))
	delete(all, "secret")
	require.Equal(r.t, 200, r.do("PATCH", "/endpoints/"+id, `{"headers":null,"metadata":null}`).Code)
	back, err := json.Marshal(all)
	require.NoError(r.t, err)
	require.Equal(r.t, 200, r.do("PATCH", "/endpoints/"+id, string(back)).Code)
}

func object(n int) string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf(`"x-%d":"v"`, i))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

func TestBadEndpoints(t *testing.T) {
	t.Parallel()
	types := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprint("t", i))
		}
		return `["` + strings.Join(all, `","`) + `"]`
	}
	r := newRig(t)
	existing := r.endpoint(`{"url":"https://example.com"}`)
	for name, c := range map[string]struct{ body, field string }{
		"owner too long":        {`"owner":"` + strings.Repeat("ü", 129) + `"`, "owner"},
		"owner of two lines":    {`"owner":"a\nb"`, "owner"},
		"unknown field":         {`"colour":"red"`, "colour"},
		"rate limit":            {`"rate_limit":5`, "rate_limit"},
		"rate twice":            {`"rate_limit":{"burst":1,"burst":2}`, "rate_limit"},
		"rate unknown":          {`"rate_limit":{"per_hour":2}`, "rate_limit.per_hour"},
		"no rate":               {`"rate_limit":{"burst":2}`, "rate_limit.per_second"},
		"rate null":             {`"rate_limit":{"per_second":null}`, "rate_limit.per_second"},
		"rate not a number":     {`"rate_limit":{"per_second":"10"}`, "rate_limit.per_second"},
		"rate beyond numbers":   {`"rate_limit":{"per_second":1e999}`, "rate_limit.per_second"},
		"rate negative":         {`"rate_limit":{"per_second":-1}`, "rate_limit.per_second"},
		"rate zero":             {`"rate_limit":{"per_second":0}`, "rate_limit.per_second"},
		"rate too high":         {`"rate_limit":{"per_second":1e300}`, "rate_limit.per_second"},
		"burst zero":            {`"rate_limit":{"per_second":1,"burst":0}`, "rate_limit.burst"},
		"burst broken":          {`"rate_limit":{"per_second":1,"burst":1.5}`, "rate_limit.burst"},
		"reason not to be set":  {`"state_reason":"mine"`, "state_reason"},
		"not to be set":         {`"state":"active"`, "state"},
		"another case":          {`"Headers":{}`, "Headers"},
		"twice":                 {`"timeout":"5s","timeout":"6s"`, "timeout"},
		"types not a list":      {`"event_types":"a.b"`, "event_types"},
		"ill-formed type":       {`"event_types":["a.b","A B"]`, "event_types[1]"},
		"pattern in the middle": {`"event_types":["a.*.b"]`, "event_types[0]"},
		"half a word":           {`"event_types":["a.b","or*"]`, "event_types[1]"},
		"type twice":            {`"event_types":["a.b","a.b"]`, "event_types[1]"},
		"101 types":             {`"event_types":` + types(101), "event_types"},
		"description":           {`"description":7`, "description"},
		"long description":      {`"description":"` + strings.Repeat("d", 1025) + `"`, "description"},
		"headers not an object": {`"headers":["a"]`, "headers"},
		"header not a string":   {`"headers":{"a":1}`, "headers"},
		"200 headers":           {`"headers":` + object(200), "headers"},
		"header name":           {`"headers":{"a b":"v"}`, "headers"},
		"no header name":        {`"headers":{"":"v"}`, "headers"},
		"header twice":          {`"headers":{"X-A":"v","x-a":"w"}`, "headers.x-a"},
		"CR LF":                 {`"headers":{"a":"v\r\nb: c"}`, "headers.a"},
		"NUL":                   {`"headers":{"a":"v\u0000"}`, "headers.a"},
		"CR LF in the name":     {`"headers":{"a\r\nb":"v"}`, "headers"},
		"long header":           {`"headers":{"a":"` + strings.Repeat("v", 4097) + `"}`, "headers.a"},
		"51 metadata":           {`"metadata":` + object(51), "metadata"},
		"long metadata key":     {`"metadata":{"` + strings.Repeat("k", 65) + `":"v"}`, "metadata"},
		"long metadata value":   {`"metadata":{"k":"` + strings.Repeat("v", 1025) + `"}`, "metadata.k"},
		"schedule not a list":   {`"schedule":"5s"`, "schedule"},
		"empty schedule":        {`"schedule":[]`, "schedule"},
		"not a duration":        {`"schedule":["0s","soon"]`, "schedule[1]"},
		"a number":              {`"schedule":[5]`, "schedule[0]"},
		"31 entries":            {`"schedule":["0s"` + strings.Repeat(`,"1s"`, 30) + `]`, "schedule"},
		"negative":              {`"schedule":["-1s"]`, "schedule"},
		"too long in all":       {`"schedule":["700h","21h"]`, "schedule"},
		"time-out":              {`"timeout":15`, "timeout"},
		"short time-out":        {`"timeout":"999ms"`, "timeout"},
		"long time-out":         {`"timeout":"31s"`, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			p := refused(t, r.do("POST", "/endpoints", `{"url":"https://example.com",`+c.body+`}`), 422, webhook.Invalid)
			require.Equal(t, c.field, p.Errors[0].Field)
			p = refused(t, r.do("PATCH", "/endpoints/"+existing, `{`+c.body+`}`), 422, webhook.Invalid)
			require.Equal(t, c.field, p.Errors[0].Field)
		})
	}
	require.Equal(t, 1, read[endpoint](t, r.do("GET", "/endpoints/"+existing, ""), 200).Version)
	for _, name := range webhook.ReservedHeaders() {
		name = http.CanonicalHeaderKey(strings.Replace(name, "*", "x", 1))
		p := refused(t, r.do("POST", "/endpoints", `{"url":"https://example.com","headers":{"`+name+`":"v"}}`), 422, webhook.Invalid)
		require.Equal(t, "headers."+name, p.Errors[0].Field)
	}
}

func TestBadEndpointBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com"}`)
	for _, to := range [][2]string{{"POST", "/endpoints"}, {"PATCH", "/endpoints/" + id}, {"POST", "/endpoints/" + id + "/secret/rotate"}} {
		for _, body := range []string{"nonsense", "[]", "null", `{"url":`, "{} {}", "{\"a\":\"\xff\"}", strings.Repeat(`{"a":`, 20_000)} {
			refused(t, r.do(to[0], to[1], body), 400, webhook.BadJSON)
		}
		refused(t, r.do(to[0], to[1], "{}", "Content-Type", "text/plain"), 415, api.UnsupportedMediaType)
		refused(t, r.do(to[0], to[1], `{"a":"`+strings.Repeat("x", webhook.MaxBody)+`"}`), 413, api.PayloadTooLarge)
	}
	p := refused(t, r.do("POST", "/endpoints", `{}`), 422, webhook.Invalid)
	require.Equal(t, "url", p.Errors[0].Field)
	for _, secret := range []string{`""`, `"whsec_short"`, `"hunter2-hunter2-hunter2"`, `7`} {
		w := r.do("POST", "/endpoints", `{"url":"https://example.com","secret":`+secret+`}`)
		require.Equal(t, "secret", refused(t, w, 422, webhook.Invalid).Errors[0].Field)
		require.NotContains(t, w.Body.String(), "hunter2")
	}
	p = refused(t, r.do("PATCH", "/endpoints/"+id, `{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`), 422, webhook.Invalid)
	require.Equal(t, "secret", p.Errors[0].Field)
	require.Contains(t, p.Detail, "rotate")
}

func TestListEndpoints(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	type page struct {
		Data []endpoint
		Next *string `json:"next_cursor"`
	}
	require.JSONEq(t, `{"data":[],"next_cursor":null}`, r.do("GET", "/endpoints", "").Body.String())
	for range 5 {
		r.endpoint(`{"url":"https://example.com"}`)
	}
	seen, cursor := map[string]bool{}, ""
	for _, n := range []int{2, 2, 1} {
		w := r.do("GET", "/endpoints?limit=2"+cursor, "")
		require.NotContains(t, w.Body.String(), "whsec_")
		p := read[page](t, w, 200)
		require.Len(t, p.Data, n)
		for _, e := range p.Data {
			seen[e.ID] = true
		}
		if n == 2 {
			cursor = "&cursor=" + *p.Next
		} else {
			require.Nil(t, p.Next)
		}
	}
	require.Len(t, seen, 5)
	for _, q := range []string{"cursor=!", "cursor=YQ", "limit=0", "limit=251", "limit=-1", "what=1"} {
		refused(t, r.do("GET", "/endpoints?"+q, ""), 422, webhook.Invalid)
	}
}

func TestListEndpointsOfAnOwner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine := r.endpoint(`{"url":"https://example.com","owner":"a b"}`)
	r.endpoint(`{"url":"https://example.com","owner":"a"}`)
	second := r.endpoint(`{"url":"https://example.com","owner":"a b"}`)
	type page struct {
		Data []endpoint
		Next string `json:"next_cursor"`
	}
	first := read[page](t, r.do("GET", "/endpoints?limit=1&owner=a%20b", ""), 200)
	require.Equal(t, min(mine, second), first.Data[0].ID) // ids of one millisecond are in any order
	rest := read[page](t, r.do("GET", "/endpoints?limit=1&owner=a%20b&cursor="+first.Next, ""), 200)
	require.Equal(t, max(mine, second), rest.Data[0].ID)
	require.Empty(t, rest.Next)
	refused(t, r.do("GET", "/endpoints?owner=a&cursor="+first.Next, ""), 422, webhook.Invalid)
	p := refused(t, r.do("GET", "/endpoints?owner=%00", ""), 422, webhook.Invalid)
	require.Equal(t, []api.FieldError{{Field: "owner", Message: "must be text without control characters"}}, p.Errors)
}

func TestRotate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newRigWith(t, func(c *gateway.Config) { c.Now = func() time.Time { return now } })
	id := r.endpoint(everyField)
	rotate := func(body string) string {
		return read[struct{ Secret string }](t, r.do("POST", "/endpoints/"+id+"/secret/rotate", body), 200).Secret
	}
	first := rotate("")
	require.NotEqual(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", first)
	e := r.registry.all["acme/"+id]
	require.Len(t, e.SigningSecrets(now), 2)
	require.Equal(t, now.Add(24*time.Hour), e.Secrets[1].ExpiresAt)
	require.Equal(t, first, e.Secrets[0].Secret.Reveal())

	rotate(`{"overlap":"0s"}`)
	require.Len(t, r.registry.all["acme/"+id].Secrets, 1)
	for range 9 {
		rotate(`{"overlap":"168h"}`)
	}
	refused(t, r.do("POST", "/endpoints/"+id+"/secret/rotate", `{"overlap":null}`), 409, webhook.Conflict)
	rotate(`{"overlap":"0s"}`)
	for body, field := range map[string]string{
		`{"overlap":"169h"}`: "overlap", `{"overlap":"-1s"}`: "overlap", `{"overlap":5}`: "overlap", `{"overlap":"7d"}`: "overlap", `{"secret":"x"}`: "secret",
	} {
		require.Equal(t, field, refused(t, r.do("POST", "/endpoints/"+id+"/secret/rotate", body), 422, webhook.Invalid).Errors[0].Field)
	}
}

func TestTestEventGoesToOneEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.endpoint(`{"url":"https://a.example"}`)
	id := r.endpoint(`{"url":"https://b.example","event_types":["other"]}`)
	w := r.do("POST", "/endpoints/"+id+"/test", "")
	a := read[acceptedEvent](t, w, 202)
	require.Equal(t, "hookloop.test", a.Type)
	require.Len(t, a.Deliveries, 1)
	require.Equal(t, id, a.Deliveries[0].EndpointID)
	require.Equal(t, "/v1/tenants/acme/events/"+a.ID, w.Header().Get("Location"))

	var in workflows.EventInput
	var raw converter.RawValue
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(r.temporal.Run(a.WorkflowID).Input, &in, &raw))
	require.Equal(t, []string{id}, in.EndpointIDs)
	require.JSONEq(t, `{"endpoint_id":"`+id+`"}`, string(raw.Payload().GetData()))
}

func TestRegistryOutOfReach(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com"}`)
	r.registry.down = fmt.Errorf("/secret/path: %w", errTest)
	for _, c := range [][3]string{
		{"GET", "", ""},
		{"POST", "", `{"url":"https://example.com"}`},
		{"GET", "/" + id, ""},
		{"PATCH", "/" + id, "{}"},
		{"DELETE", "/" + id, ""},
		{"GET", "/" + id + "/secret", ""},
		{"POST", "/" + id + "/secret/rotate", ""},
		{"POST", "/" + id + "/test", ""},
	} {
		w := r.do(c[0], "/endpoints"+c[1], c[2])
		p := refused(t, w, 503, api.Unavailable)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.NotContains(t, p.Detail, "path")
	}
}

var errTest = fmt.Errorf("disk on fire")

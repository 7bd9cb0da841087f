package gateway_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/webhook"
)

const githubSource = `{"provider":"github","name":"code","config":{"secrets":["s3cr3t-new","s3cr3t-old"]}}`

type sourceView struct {
	ID, Provider, Name, Application string
	Config                          json.RawMessage
	TypePrefix                      string `json:"type_prefix"`
	IngestURL                       string `json:"ingest_url"`
	Echo                            map[string]string
	Version                         int
}

// source creates one and gives its id.
func (r *rig) source(body string) string {
	r.t.Helper()
	return read[sourceView](r.t, r.do("POST", "/sources", body), 201).ID
}

func TestSourceLives(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.do("POST", "/sources", githubSource, "Host", "")
	s := read[sourceView](t, w, 201)
	require.Regexp(t, `^src_[0-9a-z]{26}$`, s.ID)
	require.Equal(t, "/v1/tenants/acme/sources/"+s.ID, w.Header().Get("Location"))
	require.Equal(t, "/in/"+s.ID, s.IngestURL, "who asks for example.com is told of no example.com")
	require.Equal(t, "github", s.TypePrefix)
	require.JSONEq(t, `{"secrets":["***","***"]}`, string(s.Config))
	require.NotContains(t, w.Body.String(), "s3cr3t")

	got := read[sourceView](t, r.do("GET", "/sources/"+s.ID, ""), 200)
	require.Equal(t, s, got)
	changed := read[sourceView](t, r.do("PATCH", "/sources/"+s.ID,
		`{"name":"repo","type_prefix":"code.hub","application":"hub","echo":{"key":".id","value":"."},"config":{"secrets":["x"]}}`), 200)
	require.Equal(t, "repo code.hub hub 2", changed.Name+" "+changed.TypePrefix+" "+changed.Application+" "+string(rune('0'+changed.Version)))
	require.Equal(t, map[string]string{"key": ".id", "value": "."}, changed.Echo)
	require.JSONEq(t, `{"secrets":["***"]}`, string(changed.Config))

	page := read[struct{ Data []sourceView }](t, r.do("GET", "/sources", ""), 200)
	require.Equal(t, []sourceView{changed}, page.Data)
	require.Equal(t, 204, r.do("DELETE", "/sources/"+s.ID, "").Code)
	refused(t, r.do("GET", "/sources/"+s.ID, ""), 404, webhook.NotFound)
	refused(t, r.do("DELETE", "/sources/nonsense", ""), 404, webhook.NotFound)
	require.NotContains(t, r.log.String(), "s3cr3t")
}

func TestSourceRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for body, want := range map[string]string{
		`{"config":{"secrets":["a"]}}`:                                                                         "provider is required",
		`{"provider":"nobody","config":{}}`:                                                                    "provider must be one of",
		`{"provider":"github"}`:                                                                                "config is required",
		`{"provider":"github","config":null}`:                                                                  "config must be a JSON object",
		`{"provider":"github","config":{"secrets":[]}}`:                                                        "config.secrets must list at least one secret",
		`{"provider":"github","config":{"secrets":[""]}}`:                                                      "config.secrets[0] must not be empty",
		`{"provider":"github","config":{"secrets":["***"]}}`:                                                   "config.secrets[0] is ***",
		`{"provider":"github","config":{"secrets":["a"],"secrets":["b"]}}`:                                     "config names a field twice",
		`{"provider":"github","config":{"secrets":["a"],"x":1}}`:                                               "config.x is not a field",
		`{"provider":"github","config":{"secrets":"s3cr3t"}}`:                                                  "config.secrets must not be",
		`{"provider":"x","config":{}}`:                                                                         "config",
		`{"provider":"github","config":{"secrets":["a"]},"type_prefix":"A b"}`:                                 "type_prefix must be",
		`{"provider":"github","config":{"secrets":["a"]},"application":"a b"}`:                                 "application must be",
		`{"provider":"github","config":{"secrets":["a"]},"echo":{"key":".a","value":"."}}`:                     "application is required with echo",
		`{"provider":"github","config":{"secrets":["a"]},"application":"a","echo":{"key":".a"}}`:               "echo.value is required",
		`{"provider":"github","config":{"secrets":["a"]},"application":"a","echo":{"key":".a |","value":"."}}`: "echo.key is not a jq expression",
		`{"provider":"github","config":{"secrets":["a"]},"application":"a","echo":true}`:                       "echo must be an object",
		`{"provider":"github","config":{"secrets":["a"]},"surprise":1}`:                                        "surprise is not a field",
		`{"provider":"github","config":{"secrets":["a"]},"name":7}`:                                            "name must be a string",
		`{"provider":"github","provider":"github","config":{"secrets":["a"]}}`:                                 "provider appears twice",
		`{"provider":"paypal","config":{"webhook_id":""}}`:                                                     "config.webhook_id",
		`{"provider":"meta","config":{"secrets":["a"]}}`:                                                       "config.verify_token",
		`{"provider":"google-pubsub","config":{"audience":"https://x"}}`:                                       "config.email",
		`{"provider":"hmac","config":{"secrets":["a"],"algorithm":"sha256","encoding":"hex"}}`:                 "config.header",
		`{"provider":"standard-webhooks","config":{"secrets":["whsec_"]}}`:                                     "config.secrets[0]",
		`{"provider":"hmac","config":{"secrets":["a"],"header":"x","algorithm":"md5"}}`:                        "config.algorithm",
	} {
		p := refused(t, r.do("POST", "/sources", body), 422, webhook.Invalid)
		require.Contains(t, p.Detail, want, body)
		require.NotContains(t, p.Detail, "s3cr3t")
	}
	page := read[struct{ Data []sourceView }](t, r.do("GET", "/sources", ""), 200)
	require.Empty(t, page.Data, "nothing was created")
	id := r.source(githubSource)
	refused(t, r.do("PATCH", "/sources/"+id, `{"provider":"slack"}`), 422, webhook.Invalid)
	refused(t, r.do("PATCH", "/sources/"+id, `{"config":{"secrets":[]}}`), 422, webhook.Invalid)
	require.Equal(t, 1, read[sourceView](t, r.do("GET", "/sources/"+id, ""), 200).Version)
}

func TestSourcesNeedTheirScope(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := everything()
	c["scope"] = "endpoints:write events:write"
	r.token = sign(t, c)
	for _, call := range [][2]string{{"POST", "/sources"}, {"GET", "/sources"}, {"GET", "/sources/x"}, {"PATCH", "/sources/x"}, {"DELETE", "/sources/x"}} {
		refused(t, r.do(call[0], call[1], ""), 403, api.MissingScope)
	}
}

func TestEndpointEchoAndRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	type view struct {
		Application string
		Echo        any
		Request     map[string]string
	}
	id := r.endpoint(`{"url":"https://example.com","application":"crm","echo":{"key":".data.id","value":".data"},
		"request":{"method":"PATCH","path":"[.data.id]","body":".data"}}`)
	got := read[view](t, r.do("GET", "/endpoints/"+id, ""), 200)
	require.Equal(t, view{
		"crm",
		map[string]any{"key": ".data.id", "value": ".data"},
		map[string]string{"method": "PATCH", "path": "[.data.id]", "body": ".data"},
	}, got)
	got = read[view](t, r.do("PATCH", "/endpoints/"+id, `{"request":{"method":"PUT","path":null}}`), 200)
	require.Equal(t, map[string]string{"method": "PUT", "body": ".data"}, got.Request)
	got = read[view](t, r.do("PATCH", "/endpoints/"+id, `{"echo":true,"request":null}`), 200)
	require.Equal(t, view{"crm", true, nil}, got)
	got = read[view](t, r.do("PATCH", "/endpoints/"+id, `{"echo":null,"application":""}`), 200)
	require.Equal(t, view{}, got)
	for body, want := range map[string]string{
		`{"echo":true}`:                     "application is required with echo",
		`{"application":"a","echo":"yes"}`:  "echo must be an object",
		`{"request":{"method":"GET"}}`:      "request.method must be",
		`{"request":{"path":"["}}`:          "request.path is not a jq expression",
		`{"request":{"body":""}}`:           "request.body must be a jq expression",
		`{"request":{"surprise":1}}`:        "request.surprise is not a field",
		`{"request":[]}`:                    "request must be an object",
		`{"application":7}`:                 "application must be",
		`{"headers":{"hookloop-hops":"1"}}`: "is set by Hookloop",
	} {
		p := refused(t, r.do("PATCH", "/endpoints/"+id, body), 422, webhook.Invalid)
		require.Contains(t, p.Detail, want, body)
	}
}

package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const oneEndpoint = `{"id":"ep_1","url":"http://127.0.0.1:9000/","state":"active","event_types":["contact.updated"],
	"description":"the CRM","owner":"4711","headers":{"X-Team":"sales"},"metadata":{"customer":"4711"},"schedule":["0s","5s"],
	"timeout":"15s","version":1,"unknown_here":1.10}`

func TestEndpointCreate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		body string
	}{
		"bare": {nil, `{"url":"http://127.0.0.1:9000/"}`},
		"everything": {
			[]string{
				"--type", "a.b", "--type", "c", "--description", "d", "--owner", "o", "--header", "X-A:  1: 2 ", "--header", "X-B:", "--metadata", "k=v=w",
				"--schedule", "0s, 5s,1h", "--timeout", "5s", "--secret", "whsec_x", "--rate-limit", "90/m", "--burst", "20",
			},
			`{"url":"http://127.0.0.1:9000/","event_types":["a.b","c"],"description":"d","owner":"o","headers":{"X-A":"1: 2","X-B":""},
			  "metadata":{"k":"v=w"},"schedule":["0s","5s","1h"],"timeout":"5s","secret":"whsec_x",
			  "rate_limit":{"per_second":1.5,"burst":20}}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"POST /v1/tenants/demo/endpoints": {{status: 201, body: oneEndpoint}}})
			g.run(t, append([]string{"endpoint", "create", "--url", "http://127.0.0.1:9000/"}, tt.args...)...).ok(t)
			require.JSONEq(t, tt.body, g.last(t).body)
			require.Equal(t, "application/json", g.last(t).header.Get("Content-Type"))
		})
	}
}

func TestEndpointCreateShowsTheSecretAndWhatToTry(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"POST /v1/tenants/demo/endpoints": {
		{status: 201, body: `{"id":"ep_1","url":"http://x/","state":"active","schedule":["0s"],"timeout":"15s","secret":"whsec_abc"}`},
	}})
	out := g.run(t, "endpoint", "create", "--url", "http://x/").ok(t)
	require.Equal(t, `id           ep_1
url          http://x/
state        active
event types  all
schedule     0s
timeout      15s
secret       whsec_abc

Next: hookloop event send --type contact.updated --data '{"id": 1}' --wait
`, out)
}

func TestEndpointSecretFromAFile(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"POST /v1/tenants/demo/endpoints": {{status: 201, body: oneEndpoint}}})
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("whsec_abc\n"), 0o600))
	g.run(t, "endpoint", "create", "--url", "http://x/", "--secret-file", file).ok(t)
	require.JSONEq(t, `{"url":"http://x/","secret":"whsec_abc"}`, g.last(t).body)

	require.NoError(t, os.WriteFile(file, nil, 0o600))
	g.run(t, "endpoint", "create", "--url", "http://x/", "--secret-file", file).fails(t, 2)
	g.run(t, "endpoint", "create", "--url", "http://x/", "--secret-file", file, "--secret", "x").fails(t, 2)
	g.run(t, "endpoint", "create", "--url", "http://x/", "--secret-file", file+"x").fails(t, 1)
}

func TestEndpointUpdate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		body string
	}{
		"fields":          {[]string{"--url", "http://y/", "--description", ""}, `{"url":"http://y/","description":""}`},
		"null":            {[]string{"--clear", "schedule", "--clear", "event_types"}, `{"schedule":null,"event_types":null}`},
		"entries":         {[]string{"--clear", "headers.X-A", "--header", "X-B: 1", "--clear", "metadata.a.b"}, `{"headers":{"X-A":null,"X-B":"1"},"metadata":{"a.b":null}}`},
		"rate":            {[]string{"--rate-limit", "10"}, `{"rate_limit":{"per_second":10}}`},
		"burst":           {[]string{"--burst", "5"}, `{"rate_limit":{"burst":5}}`},
		"no rate":         {[]string{"--clear", "rate_limit"}, `{"rate_limit":null}`},
		"default timeout": {[]string{"--timeout", "15s"}, `{"timeout":"15s"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"PATCH /v1/tenants/demo/endpoints/ep_1": {{body: oneEndpoint}}})
			g.run(t, append([]string{"endpoint", "update", "ep_1"}, tt.args...)...).ok(t)
			require.JSONEq(t, tt.body, g.last(t).body)
		})
	}
}

// TestClearTakesEveryField that the API clears: all of a change's but the one that must be there.
func TestClearTakesEveryField(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"PATCH /v1/tenants/demo/endpoints/ep_1": {{body: oneEndpoint}},
		"PATCH /v1/tenants/demo/sources/src_1":  {{body: `{"id":"src_1"}`}},
	})
	require.Contains(t, clearableOfEndpoint.fields, "rate_limit")
	for _, field := range clearableOfEndpoint.fields {
		g.run(t, "endpoint", "update", "ep_1", "--clear", field).ok(t)
		require.JSONEq(t, `{"`+field+`":null}`, g.last(t).body)
	}
	require.Equal(t, []string{"name", "type_prefix", "application", "echo"}, clearableOfSource.fields)
	for _, field := range clearableOfSource.fields {
		g.run(t, "source", "update", "src_1", "--clear", field).ok(t)
		require.JSONEq(t, `{"`+field+`":null}`, g.last(t).body)
	}
}

func TestEndpointFlagsThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{"create"},
		{"create", "--url", "http://x/", "--header", "no colon"},
		{"create", "--url", "http://x/", "--header", ": v"},
		{"create", "--url", "http://x/", "--metadata", "no equals"},
		{"create", "--url", "http://x/", "--schedule", "0s,soon"},
		{"create", "--url", "http://x/", "--schedule", ""},
		{"create", "--url", "http://x/", "extra"},
		{"update", "ep_1"},
		{"update", "--url", "http://x/"},
		{"update", "ep_1", "--clear", "url"},
		{"update", "ep_1", "--clear", "timeout.x"},
		{"update", "ep_1", "--clear", "headers."},
		{"update", "ep_1", "--clear", "timeout", "--timeout", "5s"},
		{"update", "ep_1", "--clear", "headers", "--header", "A: b"},
		{"list", "--limit", "0"},
		{"list", "--limit", "251"},
		{"rotate", "ep_1", "--overlap", "-1s"},
		{"test", "ep_1", "--timeout", "1s"},
		{"create", "--url", "http://x/", "--rate-limit", "fast"},
		{"create", "--url", "http://x/", "--rate-limit", "10/d"},
		{"create", "--url", "http://x/", "--rate-limit", "0/s"},
		{"create", "--url", "http://x/", "--rate-limit", "-1"},
		{"create", "--url", "http://x/", "--rate-limit", "NaN"},
		{"update", "ep_1", "--rate-limit", ""},
		{"update", "ep_1", "--burst", "many"},
		{"update", "ep_1", "--clear", "rate_limit", "--rate-limit", "1"},
		{"frobnicate"},
		{"get", "ep_1", "--no-such-flag"},
	} {
		g.run(t, append([]string{"endpoint"}, args...)...).fails(t, 2)
	}
	require.Empty(t, g.requests)
}

func TestEndpointReadsAndSecrets(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET /v1/tenants/demo/endpoints/ep_1":                {{body: oneEndpoint}},
		"GET /v1/tenants/demo/endpoints/a%2F..%2Fb":          {{body: oneEndpoint}},
		"GET /v1/tenants/demo/endpoints/ep_1/secret":         {{body: `{"secret":"whsec_1"}`}},
		"POST /v1/tenants/demo/endpoints/ep_1/secret/rotate": {{body: `{"secret":"whsec_2"}`}},
		"DELETE /v1/tenants/demo/endpoints/ep_1":             {{status: 204}},
		"POST /v1/tenants/demo/endpoints/ep_1/test":          {{status: 202, body: `{"id":"evt_1","type":"hookloop.test","deliveries":[{}]}`}},
		"GET /v1/tenants/demo/endpoints":                     {{body: `{"data":[` + oneEndpoint + `],"next_cursor":null}`}},
	})
	require.Equal(t, `id           ep_1
url          http://127.0.0.1:9000/
state        active
event types  contact.updated
description  the CRM
owner        4711
header       X-Team: sales
metadata     customer=4711
schedule     0s, 5s
timeout      15s
`, g.run(t, "endpoint", "get", "ep_1").ok(t))
	g.set("GET /v1/tenants/demo/endpoints/ep_1", canned{body: `{"id":"ep_1","rate_limit":{"per_second":0.5,"burst":3},"breaker":"half-open"}`})
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1").ok(t), "rate limit   0.5/s, 3 at once\nbreaker      half-open\n")
	g.set("GET /v1/tenants/demo/endpoints/ep_1", canned{body: oneEndpoint})
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1", "--json").ok(t), `"unknown_here": 1.10`)
	g.run(t, "endpoint", "get", "a/../b").ok(t)

	require.Equal(t, "whsec_1\n", g.run(t, "endpoint", "secret", "ep_1").ok(t))
	require.Equal(t, "whsec_2\n", g.run(t, "endpoint", "rotate", "ep_1").ok(t))
	require.JSONEq(t, `{"overlap":"24h"}`, g.last(t).body)
	require.JSONEq(t, `{"secret":"whsec_2"}`, g.run(t, "endpoint", "rotate", "ep_1", "--overlap", "0s", "--json").ok(t))
	require.JSONEq(t, `{"overlap":"0s"}`, g.last(t).body)

	require.Equal(t, "deleted ep_1\n", g.run(t, "endpoint", "delete", "ep_1").ok(t))
	require.JSONEq(t, `{"id":"ep_1","deleted":true}`, g.run(t, "endpoint", "delete", "ep_1", "--json").ok(t))
	require.Contains(t, g.run(t, "endpoint", "test", "ep_1").ok(t), "hookloop event get evt_1")
	require.Equal(t, "ID    STATE   OWNER  URL                     DESCRIPTION  EVENT TYPES      WAITING  LAST HOUR  LAST SUCCESS  LAST ERROR\n"+
		"ep_1  active  4711   http://127.0.0.1:9000/  the CRM      contact.updated  -        -          -             -\n",
		g.run(t, "endpoint", "list").ok(t))
	g.run(t, "endpoint", "list", "--owner", "a b&c").ok(t)
	require.Contains(t, g.last(t).uri, "owner=a+b%26c")
	require.Contains(t, g.run(t, "endpoint", "get", "ep_2").fails(t, 1), "(not_found, HTTP 404)")
}

package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEndpointEchoAndRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		body string
	}{
		"application": {[]string{"--application", "crm"}, `{"application":"crm"}`},
		"echo":        {[]string{"--application", "crm", "--echo"}, `{"application":"crm","echo":true}`},
		"no echo":     {[]string{"--echo=false"}, `{"echo":false}`},
		"paths": {
			[]string{"--echo-key", ".data.id", "--echo-value", `.data | {"e": .email}`},
			`{"echo":{"key":".data.id","value":".data | {\"e\": .email}"}}`,
		},
		"method": {[]string{"--request-method", "PATCH"}, `{"request":{"method":"PATCH"}}`},
		"request": {
			[]string{"--request-method", "PUT", "--request-path", `["a", .data.id]`, "--request-body", ".data"},
			`{"request":{"method":"PUT","path":"[\"a\", .data.id]","body":".data"}}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{
				"POST /v1/tenants/demo/endpoints":       {{status: 201, body: oneEndpoint}},
				"PATCH /v1/tenants/demo/endpoints/ep_1": {{body: oneEndpoint}},
			})
			g.run(t, append([]string{"endpoint", "update", "ep_1"}, tt.args...)...).ok(t)
			require.JSONEq(t, tt.body, g.last(t).body)
			g.run(t, append([]string{"endpoint", "create", "--url", "http://x/"}, tt.args...)...).ok(t)
			if tt.body == `{"echo":false}` { // as if it were not said
				tt.body = `{}`
			}
			require.JSONEq(t, strings.Replace(`{"url":"http://x/",`+tt.body[1:], ",}", "}", 1), g.last(t).body)
		})
	}
}

func TestEndpointEchoIsCleared(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"PATCH /v1/tenants/demo/endpoints/ep_1": {{body: oneEndpoint}}})
	g.run(t, "endpoint", "update", "ep_1", "--clear", "application", "--clear", "echo", "--clear", "request").ok(t)
	require.JSONEq(t, `{"application":null,"echo":null,"request":null}`, g.last(t).body)
}

func TestEndpointEchoThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{"create", "--url", "http://x/", "--echo-key", ".id"},
		{"create", "--url", "http://x/", "--echo-value", "."},
		{"create", "--url", "http://x/", "--echo=maybe"},
		{"update", "ep_1", "--echo", "--echo-key", ".id", "--echo-value", "."},
		{"update", "ep_1", "--clear", "echo", "--echo"},
		{"update", "ep_1", "--clear", "echo", "--echo=false"},
		{"update", "ep_1", "--clear", "request.path"},
		{"update", "ep_1", "--clear", "request", "--request-method", "PUT"},
		{"update", "ep_1", "--clear", "application", "--application", ""},
	} {
		g.run(t, append([]string{"endpoint"}, args...)...).fails(t, 2)
	}
	require.Empty(t, g.requests)
}

func TestEndpointEchoIsShown(t *testing.T) {
	t.Parallel()
	for fields, rows := range map[string]string{
		`"application":"crm"`:                      "application  crm\n",
		`"application":"crm","echo":true`:          "application  crm\necho         also what came from its own application\n",
		`"echo":{"key":".data.id","value":"a\tb"}`: "echo         key .data.id\necho         value a\\u0009b\n",
		`"request":{"method":"PATCH"}`:             "request      method PATCH\n",
		`"request":{"path":"[.data.id]","body":".data"},"breaker":"closed"`: "request      path [.data.id]\n" +
			"request      body .data\nbreaker      closed\n",
	} {
		g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1": {{body: `{"id":"ep_1","timeout":"15s",` + fields + `}`}}})
		require.Contains(t, g.run(t, "endpoint", "get", "ep_1").ok(t), "timeout      15s\n"+rows)
	}
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1": {{body: `{"id":"ep_1","echo":7}`}}})
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1").fails(t, 1), "not understood")
}

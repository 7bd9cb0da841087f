package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args       []string
		body, said string
	}{
		"pause":  {[]string{"pause", "ep_1"}, `{}`, "ep_1 is paused; its deliveries wait\n\nNext: hookloop endpoint resume ep_1\n"},
		"why":    {[]string{"pause", "ep_1", "--reason", `they "move"`}, `{"reason":"they \"move\""}`, "ep_1 is paused"},
		"resume": {[]string{"resume", "ep_1"}, `{}`, "ep_1 resumes: the oldest delivery that waits is its probe; if that arrives, the others follow, 10 a second\n\nNext: hookloop approval watch ep_1\n"},
		"at a pace": {
			[]string{"resume", "ep_1", "--rate", "0.5", "--reason", "back"},
			`{"reason":"back","rate_per_second":0.5}`,
			"the others follow, 0.5 a second\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{
				"POST /v1/tenants/demo/endpoints/ep_1/" + tt.args[0]: {{status: 202, body: oneEndpoint}},
			})
			args := append([]string{"endpoint"}, tt.args...)
			require.Contains(t, g.run(t, args...).ok(t), tt.said)
			require.JSONEq(t, tt.body, g.last(t).body)
			require.Contains(t, g.run(t, append(args, "--json")...).ok(t), `"unknown_here": 1.10`)
			args[2] = "ep_2"
			require.Contains(t, g.run(t, args...).fails(t, 1), "(not_found, HTTP 404)")
		})
	}
}

func TestPauseAndResumeThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{"pause"},
		{"pause", "ep_1", "ep_2"},
		{"pause", "ep_1", "--rate", "5"},
		{"resume"},
		{"resume", "ep_1", "--rate", "fast"},
		{"resume", "ep_1", "--rate", "0"},
		{"resume", "ep_1", "--rate", "+Inf"},
		{"create", "--url", "http://x/", "--approval-after", "soon"},
		{"update", "ep_1", "--approval-timeout", "7d"},
		{"update", "ep_1", "--clear", "approval.by"},
		{"update", "ep_1", "--clear", "approval", "--approval-after", "1h"},
		{"update", "ep_1", "--clear", "approval.after", "--approval-after", "1h"},
	} {
		g.run(t, append([]string{"endpoint"}, args...)...).fails(t, 2)
	}
	require.Empty(t, g.requests)
}

func TestApprovalPolicy(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"POST /v1/tenants/demo/endpoints":       {{status: 201, body: oneEndpoint}},
		"PATCH /v1/tenants/demo/endpoints/ep_1": {{body: oneEndpoint}},
		"GET /v1/tenants/demo/endpoints/ep_1": {{body: `{"id":"ep_1","state":"held","state_reason":"it failed for 1h",
			"approval":{"after":"1h","timeout":"168h"}}`}},
	})
	g.run(t, "endpoint", "create", "--url", "http://x/", "--approval-after", "30m", "--approval-timeout", "168h").ok(t)
	require.JSONEq(t, `{"url":"http://x/","approval":{"after":"30m","timeout":"168h"}}`, g.last(t).body)
	for body, args := range map[string][]string{
		`{"approval":{"after":"1h"}}`:                {"--approval-after", "1h"},
		`{"approval":{"after":"1s","timeout":null}}`: {"--approval-after", "1s", "--clear", "approval.timeout"},
		`{"approval":{"after":null,"timeout":null}}`: {"--clear", "approval.timeout", "--clear", "approval.after"},
		`{"approval":null,"headers":{"X-A":null}}`:   {"--clear", "approval", "--clear", "headers.X-A"},
		`{"approval":{"timeout":"1h","after":null}}`: {"--clear", "approval.after", "--approval-timeout", "60m"},
	} {
		g.run(t, append([]string{"endpoint", "update", "ep_1"}, args...)...).ok(t)
		require.JSONEq(t, body, g.last(t).body)
	}
	out := g.run(t, "endpoint", "get", "ep_1").ok(t)
	require.Contains(t, out, "state        held: it failed for 1h\n")
	require.Contains(t, out, "approval     asked for after failing for 1h, rejected after 168h without an answer\n")

	g.set("GET /v1/tenants/demo/endpoints/ep_1", canned{body: `{"id":"ep_1","state":"paused","state_reason":"paused by alice"}`})
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1").ok(t), "state        paused by alice\n")
}

package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/terminal"
)

func TestEventsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/events": {{body: noEndpoints}}})
	g.run(t, "event", "list", "--endpoint", "ep_1", "--after", "1h").ok(t)
	require.Equal(t, "/v1/tenants/demo/events?after=1h&endpoint=ep_1&limit=50", g.last(t).uri)
}

func TestAttemptsAreListed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1/attempts": {{body: `{"data":[
		{"event_id":"evt_1","event_type":"a.b","number":2,"at":"2026-03-01T12:00:00Z","outcome":"took","status_code":204,"duration_ms":12},
		{"event_id":"evt_1","event_type":"a.b","number":1,"at":"2026-03-01T11:00:00Z","outcome":"fails","duration_ms":3,"failure":"refused","error":"connection refused"}],"next_cursor":null}`}}})
	require.Equal(t, `AT                    EVENT  TYPE  NUMBER  ANSWER  MS  OUTCOME  WHY
2026-03-01T12:00:00Z  evt_1  a.b   2       204     12  took     
2026-03-01T11:00:00Z  evt_1  a.b   1       -       3   fails    connection refused
`, g.run(t, "endpoint", "attempts", "ep_1", "--failed").ok(t))
	require.Equal(t, "/v1/tenants/demo/endpoints/ep_1/attempts?failed=true&limit=50", g.last(t).uri)
}

func TestStatsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/endpoints/ep_1/stats": {{body: `{"attempts":10,"took":9,"fails":1,"success":0.9,"per_minute":0.5,"p50_ms":40,"p95_ms":4000,
		"activity":{"waiting":2,"held":1,"last_hour":{"attempts":0}},"buckets":[{"at":"2026-03-01T12:00:00Z","attempts":10,"took":9,"fails":1,"refuses":0,"p50_ms":40,"p95_ms":4000}]}`}}})
	require.Equal(t, `attempts  10, 0.5 a minute
taken     90 %
latency   p50 40 ms, p95 4.0 s
waiting   2 deliveries, 1 held

SINCE                 ATTEMPTS  TOOK  FAILS  REFUSES  P50    P95
2026-03-01T12:00:00Z  10        9     1      0        40 ms  4.0 s
`, g.run(t, "endpoint", "stats", "ep_1", "--since", "2h").ok(t))
	require.Equal(t, "/v1/tenants/demo/endpoints/ep_1/stats?since=2h", g.last(t).uri)
}

func TestUndeliveredAndWhy(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/undelivered": {{body: `{"data":[
		{"event_id":"evt_1","event_type":"a.b","endpoint_id":"ep_1","endpoint":{"host":"one.example","description":"the shop","state":"active"},"status":"retrying",
		 "reason":"HTTP 503","accepted_at":"2026-03-01T12:00:00Z","next_attempt_at":"2026-03-01T12:05:00Z","attempts":3},
		{"event_id":"evt_2","event_type":"a.b","endpoint_id":"ep_2","status":"held","accepted_at":"2026-03-01T12:00:00Z","attempts":0}],"next_cursor":null}`}}})
	require.Equal(t, `EVENT  TYPE  ENDPOINT                STATUS    ACCEPTED              ATTEMPTS  NEXT                  WHY
evt_1  a.b   one.example (the shop)  retrying  2026-03-01T12:00:00Z  3         2026-03-01T12:05:00Z  HTTP 503
evt_2  a.b   ep_2                    held      2026-03-01T12:00:00Z  0         -                     
`, g.run(t, "event", "undelivered", "--status", "held").ok(t))
	require.Equal(t, "/v1/tenants/demo/undelivered?limit=50&status=held", g.last(t).uri)
	g.run(t, "event", "undelivered", "--limit", "101").fails(t, 2)
}

func TestEventDataAsItCame(t *testing.T) {
	t.Parallel()
	const data = "{ \"a\":1.10,\"b\":\"\u001b\" }"
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/events/evt_1/data": {{body: data}}})
	require.Equal(t, data, g.run(t, "event", "data", "evt_1").ok(t))
}

func TestEndpointsHaveNames(t *testing.T) {
	t.Parallel()
	const name = `"endpoint":{"host":"one.example","description":"the shop","state":"held"}`
	g := newStandIn(t, map[string][]canned{
		"GET /v1/tenants/demo/events/evt_1":      {{body: `{"id":"evt_1","type":"a.b","status":"delivering","deliveries":[{"endpoint_id":"ep_1",` + name + `,"status":"held","attempts":[]}]}`}},
		"GET /v1/tenants/demo/approvals":         {{body: `{"data":[{"endpoint_id":"ep_1",` + name + `,"status":"awaiting-approval"}],"next_cursor":null}`}},
		"GET /v1/tenants/demo/endpoints":         {{body: `{"data":[{"id":"ep_1","url":"http://x/","state":"active","activity":{"waiting":3,"last_hour":{"attempts":10,"took":9,"success":0.9}}}]}`}},
		"GET /v1/tenants/demo/endpoints/ep_1":    {{body: `{"id":"ep_1","host":"one.example","description":"the shop","url":"http://x/","state":"active","activity":{"waiting":3,"last_hour":{"attempts":10,"took":9,"success":0.9}}}`}},
		"DELETE /v1/tenants/demo/endpoints/ep_1": {{status: 204}},
	})
	require.Contains(t, g.run(t, "event", "get", "evt_1").ok(t), "\nep_1  one.example (the shop)  held\n")
	require.Contains(t, g.run(t, "approval", "list").ok(t), "\nep_1      one.example (the shop)  awaiting-approval  ")
	require.Contains(t, g.run(t, "endpoint", "list").ok(t), "  3        90 % of 10  ")
	require.Contains(t, g.run(t, "endpoint", "get", "ep_1").ok(t), "waiting      3 deliveries\nlast hour    10 attempts, 90 % taken, p95 -\n")
}

// typed is a terminal on which a person types.
type typed struct{ io.Reader }

func (typed) IsTerminal() bool { return true }

func TestDeleteAsksOnATerminal(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET /v1/tenants/demo/endpoints/ep_1":    {{body: `{"id":"ep_1","host":"one.example","activity":{"waiting":3,"last_hour":{}}}`}},
		"DELETE /v1/tenants/demo/endpoints/ep_1": {{status: 204}},
	})
	for answer, deleted := range map[string]bool{"yes\n": true, "y\n": false, "": false} {
		root := New("test")
		root.SetIn(typed{strings.NewReader(answer)})
		var stdout, stderr bytes.Buffer
		code := terminal.Execute(t.Context(), root, []string{"endpoint", "delete", "ep_1", "--data-dir", g.data}, &stdout, &stderr)
		require.Contains(t, stderr.String(), "Delete ep_1  one.example? 3 deliveries under way will end as cancelled. It cannot be undone.")
		require.Equal(t, deleted, code == 0)
		require.Equal(t, deleted, g.last(t).method == "DELETE")
	}
	require.Equal(t, "deleted ep_1\n", g.run(t, "endpoint", "delete", "ep_1").ok(t), "a script is not asked")
	require.Equal(t, "DELETE", g.last(t).method)
}

func TestCompletionKnowsIDs(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET /v1/tenants/demo/endpoints": {{body: `{"data":[{"id":"ep_1","host":"one.example"},{"id":"ep_22","host":"two.example","description":"the shop"}]}`}},
		"GET /v1/tenants/demo/events":    {{body: `{"data":[{"id":"evt_1","type":"a.b","status":"failed"}]}`}},
	})
	complete := func(args ...string) string {
		var stdout bytes.Buffer
		at := append([]string{"__complete", args[0], args[1], "--data-dir", g.data}, args[2:]...)
		terminal.Execute(t.Context(), New("test"), at, &stdout, io.Discard)
		return stdout.String()
	}
	require.Equal(t, "ep_22\ttwo.example the shop\n:4\n", complete("endpoint", "get", "ep_2"))
	require.Equal(t, "evt_1\ta.b, failed\n:4\n", complete("event", "retry-now", ""))
	require.Contains(t, complete("event", "retry-now", "evt_1", ""), "ep_1\tone.example\n")
	require.Contains(t, complete("event", "list", "--endpoint", ""), "ep_1\t")
	require.Contains(t, complete("approval", "list", "--status", "a"), "awaiting-approval\n")
	require.Equal(t, ":4\n", complete("endpoint", "get", "ep_1", ""), "it takes one")
	require.Contains(t, hookloop(t, "--help").ok(t), "\n  completion ")
}

func TestManualPages(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man1")
	hookloop(t, "man", dir).ok(t)
	page, err := os.ReadFile(filepath.Join(dir, "hookloop-event-send.1"))
	require.NoError(t, err)
	require.Contains(t, string(page), "Idempotency")
	require.NotContains(t, string(page), "CreatedAt")
}

package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

const accepted = `{"id":"evt_1","type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","duplicate":false,
	"deliveries":[{"endpoint_id":"ep_1"},{"endpoint_id":"ep_2"}],"workflow_id":"event/demo/evt_1"}`

func TestEventSendKeepsEveryByte(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data.json")
	odd := "{ \"b\":1.10,\"a\":12345678901234567890 ,\n\"u\":\"\\u00e4ä<&>\",\"b\":2}"
	require.NoError(t, os.WriteFile(file, []byte(odd), 0o600))
	tests := map[string]struct {
		args []string
		body string
	}{
		"as it stands": {[]string{"--data", odd}, `{"type":"contact.updated","data":` + odd + `}`},
		"a file":       {[]string{"--data", "@" + file}, `{"type":"contact.updated","data":` + odd + `}`},
		"a scalar":     {[]string{"--data", "1e400"}, `{"type":"contact.updated","data":1e400}`},
		"with a time": {
			[]string{"--data", "{}", "--timestamp", "2026-01-31T13:00:00+01:00"},
			`{"type":"contact.updated","data":{},"timestamp":"2026-01-31T13:00:00+01:00"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"POST /v1/tenants/demo/events": {{status: 202, body: accepted}}})
			g.run(t, append([]string{"event", "send", "--type", "contact.updated", "--key", "k-1"}, tt.args...)...).ok(t)
			require.Equal(t, tt.body, g.last(t).body)
			require.Equal(t, "k-1", g.last(t).header.Get("Idempotency-Key"))
		})
	}
}

func TestEventSendSays(t *testing.T) {
	t.Parallel()
	for answer, line := range map[string]string{
		accepted: "evt_1  contact.updated  accepted, goes to 2 endpoints",
		`{"id":"evt_1","type":"a","deliveries":[]}`:                       "evt_1  a  accepted; no endpoint of tenant demo takes this type",
		`{"id":"evt_1","type":"a","duplicate":true,"deliveries":[{},{}]}`: "evt_1  a  was accepted before with this key",
	} {
		g := newStandIn(t, map[string][]canned{"POST /v1/tenants/demo/events": {{status: 202, body: answer}}})
		out := g.run(t, "event", "send", "--type", "a", "--data", "1").ok(t)
		require.Equal(t, line+"\n\nNext: hookloop event get evt_1\n", out)
		require.Empty(t, g.last(t).header.Values("Idempotency-Key"))
		require.JSONEq(t, answer, g.run(t, "event", "send", "--type", "a", "--data", "1", "--json").ok(t))
	}
}

func TestEventSendThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{"--data", "1"},
		{"--type", "a"},
		{"--type", "a", "--data", "{"},
		{"--type", "a", "--data", ""},
		{"--type", "a", "--data", `1},"type":"b"`},
		{"--type", "a", "--data", "1", "--key", ""},
		{"--type", "a", "--data", "1", "--timestamp", "yesterday"},
		{"--type", "a", "--data", "1", "--timeout", "1s"},
		{"--type", "a", "--data", "1", "--wait", "--timeout", "0s"},
		{"--type", "a", "--data", "1", "extra"},
	} {
		g.run(t, append([]string{"event", "send"}, args...)...).fails(t, 2)
	}
	g.run(t, "event", "send", "--type", "a", "--data", "@"+filepath.Join(t.TempDir(), "none")).fails(t, 1)
	require.Empty(t, g.requests)
}

func TestReadData(t *testing.T) {
	t.Parallel()
	got, err := readData(t.Context(), "-", strings.NewReader(" [1]\n"))
	require.NoError(t, err)
	require.Equal(t, " [1]\n", string(got))

	_, err = readData(t.Context(), "-", bytes.NewReader(make([]byte, webhook.MaxBody+1)))
	require.ErrorContains(t, err, "larger than 1048576 bytes")

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	never, w := io.Pipe()
	defer func() { _ = w.Close() }()
	_, err = readData(stopped, "-", never)
	require.ErrorIs(t, err, errInterrupted)
}

func event(status, more string) canned {
	return canned{body: `{"id":"evt_1","type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","status":"` + status + `",
		"workflow_id":"event/demo/evt_1","run_id":"run-1","deliveries":[` + more + `]}`}
}

func TestEventWait(t *testing.T) {
	t.Parallel()
	unavailable := canned{status: 503, body: `{"code":"unavailable","detail":"Temporal cannot be reached right now"}`}
	tests := map[string]struct {
		answers []canned
		code    int
		stderr  string
	}{
		"delivered":       {[]canned{event("delivering", ""), unavailable, event("delivered", "")}, 0, ""},
		"failed":          {[]canned{event("failed", "")}, 1, "event evt_1 was not delivered everywhere"},
		"still under way": {[]canned{event("delivering", "")}, 1, "event evt_1 is still being delivered after 3s; that goes on without this command"},
		"never known":     {[]canned{unavailable}, 1, "event evt_1: the gateway could not tell within 3s"},
		"refused":         {[]canned{{status: 403, body: `{"code":"missing_scope","detail":"no"}`}}, 1, "event evt_1: no (missing_scope, HTTP 403)"},
	}
	for name, tt := range tests {
		for _, args := range [][]string{{"event", "get", "evt_1"}, {"event", "send", "--type", "a", "--data", "1"}, {"endpoint", "test", "ep_1"}} {
			t.Run(name+" "+args[1], func(t *testing.T) {
				t.Parallel()
				g := newStandIn(t, map[string][]canned{
					"GET /v1/tenants/demo/events/evt_1":         tt.answers,
					"POST /v1/tenants/demo/events":              {{status: 202, body: accepted}},
					"POST /v1/tenants/demo/endpoints/ep_1/test": {{status: 202, body: accepted}},
				})
				timeout := patience
				if strings.Contains(tt.stderr, "3s") {
					timeout = 3 * time.Second // the first question is asked, and answered, at once
				}
				r := g.run(t, append(args, "--wait", "--timeout", timeout.String())...)
				if tt.code == 0 {
					require.Contains(t, r.ok(t), "delivered")
					return
				}
				require.Equal(t, tt.stderr, r.fails(t, tt.code))
			})
		}
	}
}

// TestEventWaitForNobody: that no endpoint wanted the event is no failure, and is said.
func TestEventWaitForNobody(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET /v1/tenants/demo/events/evt_1": {event("unmatched", "")},
		"POST /v1/tenants/demo/events":      {{status: 202, body: accepted}},
	})
	for _, args := range [][]string{{"event", "get", "evt_1", "--wait"}, {"event", "send", "--type", "a", "--data", "1", "--wait"}} {
		r := g.run(t, args...)
		require.Equal(t, 0, r.code)
		require.Equal(t, "no endpoint of tenant demo wanted the event\n", r.stderr)
		require.Contains(t, r.stdout, "evt_1  contact.updated  unmatched\n")
	}
}

func TestEventPicture(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/events/evt_1": {event("delivering", `
		{"endpoint_id":"ep_1","status":"delivered","attempts":[
			{"number":1,"at":"2026-01-31T12:00:00Z","status_code":200,"duration_ms":12,"response_body":"fine"}]},
		{"endpoint_id":"ep_2","status":"retrying","reason":"deferred: breaker_open","next_attempt_at":"2020-01-01T00:00:00Z","attempts":[
			{"number":1,"at":"2026-01-31T12:00:00Z","status_code":503,"duration_ms":3,"response_body":"\u001b[2J busy\n`+strings.Repeat("x", 200)+`"},
			{"number":2,"at":"2026-01-31T12:00:05Z","duration_ms":9,"failure":"refused","error":"connection refused"}]}`)}})
	require.Equal(t, `evt_1  contact.updated  delivering
happened 2026-01-31T12:00:00Z

ep_1  delivered
   1  2026-01-31T12:00:00Z  200 after 12 ms

ep_2  retrying: deferred: breaker_open
   1  2026-01-31T12:00:00Z  503 after 3 ms  \u001b[2J busy `+strings.Repeat("x", 90)+`…
   2  2026-01-31T12:00:05Z  no answer after 9 ms: connection refused
  next attempt 2020-01-01T00:00:00Z (due)

Temporal UI  http://ui.test/namespaces/hook%20loop/workflows/event%2Fdemo%2Fevt_1/run-1/history
`, g.run(t, "event", "get", "evt_1").ok(t))
	require.Contains(t, g.run(t, "event", "get", "evt_1", "--json").ok(t), `"response_body": "fine"`)
}

func TestEventWithoutEndpoints(t *testing.T) {
	t.Parallel()
	e := eventPicture{api.Event{ID: "evt_1", Type: "a", Status: api.EventFailed, Reason: "its workflow was terminated"}, terminal.UTC}
	require.Contains(t, e.text(time.Now()), "evt_1  a  failed: its workflow was terminated\n")
	require.Contains(t, e.text(time.Now()), "no endpoint took this type")
	require.Equal(t, "in 5s", until(time.Unix(0, 0), time.Unix(5, 0)))
}

func TestEventPictureTellsWhereItCameFrom(t *testing.T) {
	t.Parallel()
	const github = `"origin":{"source_id":"src_1","provider":"github","key":"a\u001bb","application":"crm","order":7`
	for fields, lines := range map[string]string{
		github + `}`: "came from github, source src_1, their key a\\u001bb\n\nno endpoint took this type when it was accepted\n",
		github + `},"withheld":["ep_1","ep_2"],"hops":2`: "came from github, source src_1, their key a\\u001bb\n" +
			"withheld from ep_1, ep_2: what came from crm does not go back to it\npassed through Hookloop 2 times before\n" +
			"\nno other endpoint took this type when it was accepted\n",
		github + `,"echo_of":"evt_0"}`: "came from github, source src_1, their key a\\u001bb\n" +
			"echo of evt_0, sent to crm with the same value: it is not delivered\n",
		`"origin":{"source_id":"src_1","provider":"x","key":"7","echo_of":"evt_0"},"hops":1`: "came from x, source src_1, their key 7\n" +
			"echo of evt_0, sent to its application with the same value: it is not delivered\npassed through Hookloop 1 time before\n",
		`"origin":{"source_id":"src_1","provider":"x","key":"evt_0","repeats":"evt_0"},"deliveries":[{"endpoint_id":"ep_1","status":"pending"}]`: "" +
			"repeats evt_0: by what x, source src_1, sent, its application had lost that\n\nep_1  pending\n",
		`"hops":8,"deliveries":[{"endpoint_id":"ep_1","status":"held"}]`: "passed through Hookloop 8 times before\n\nep_1  held\n",
	} {
		g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/events/evt_1": {
			{body: `{"id":"evt_1","type":"a","timestamp":"2026-01-31T12:00:00Z","status":"delivered",` + fields + `}`},
		}})
		require.Equal(t, "evt_1  a  delivered\nhappened 2026-01-31T12:00:00Z\n"+lines, g.run(t, "event", "get", "evt_1").ok(t))
	}
}

func TestEventList(t *testing.T) {
	t.Parallel()
	page := func(id, next string) canned {
		return canned{body: `{"data":[{"id":"` + id + `","type":"a","status":"failed","accepted_at":"2026-01-31T12:00:00.5Z"}],"next_cursor":` + next + `}`}
	}
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/events": {page("evt_2", `"c1"`)}})
	r := g.run(t, "event", "list", "--type", "a", "--status", "failed", "--after", "2026-01-01T00:00:00Z", "--before", "b", "--limit", "1", "--cursor", "c0")
	require.Equal(t, "ID     TYPE  STATUS  ACCEPTED\nevt_2  a     failed  2026-01-31T12:00:00Z\n", r.stdout)
	require.Equal(t, "There is more: hookloop event list --cursor c1, or --all\n", r.stderr)
	require.Equal(t, "/v1/tenants/demo/events?after=2026-01-01T00%3A00%3A00Z&before=b&cursor=c0&limit=1&status=failed&type=a", g.last(t).uri)

	g.set("GET /v1/tenants/demo/events", page("evt_2", `"c1"`), page("evt_1", "null"))
	all := g.run(t, "event", "list", "--all", "--json").ok(t)
	require.Contains(t, all, "evt_2")
	require.Contains(t, all, "evt_1")
	require.Contains(t, all, `"next_cursor": null`)
	require.Equal(t, "/v1/tenants/demo/events?cursor=c1&limit=250", g.last(t).uri)

	g.set("GET /v1/tenants/demo/events", page("evt_2", `"c1"`))
	require.Contains(t, g.run(t, "event", "list", "--all").fails(t, 1), "does not end")
}

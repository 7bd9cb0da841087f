package cli

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const recoverPath = " /v1/tenants/demo/endpoints/ep_1/recover"

func recoveryAt(status, figures string) canned {
	return canned{body: `{"status":"` + status + `",` + figures + `,"since":"2026-01-31T12:00:00Z","until":"2026-02-01T12:00:00Z",
		"rate_per_second":10,"by":"alice","workflow_id":"recovery/demo/ep_1","run_id":"run-1"}`}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"POST" + recoverPath: {{status: 202, body: `{"dry_run":true,"found":12000}`}}})
	out := g.run(t, "endpoint", "recover", "ep_1", "--since", "2026-01-31T13:00:00+01:00", "--dry-run").ok(t)
	require.Equal(t, "12000 deliveries of ep_1 ended undelivered; nothing was started\n", out)
	require.JSONEq(t, `{"since":"2026-01-31T12:00:00Z","dry_run":true,"rate_per_second":10}`, g.last(t).body)

	g.set("POST"+recoverPath, canned{status: 202, body: `{"dry_run":false,"found":12000,"workflow_id":"recovery/demo/ep_1","run_id":"run-1"}`})
	before := time.Now()
	out = g.run(t, "endpoint", "recover", "ep_1", "--since", "24h", "--until", "1h", "--rate", "100").ok(t)
	require.Equal(t, "12000 deliveries of ep_1 to be started again, 100 a second: about 2m0s\n\nNext: hookloop endpoint recover ep_1 --status\n", out)
	var sent struct {
		Since, Until time.Time
		Rate         float64 `json:"rate_per_second"`
	}
	require.NoError(t, json.Unmarshal([]byte(g.last(t).body), &sent))
	require.WithinDuration(t, before.Add(-24*time.Hour), sent.Since, time.Minute)
	require.WithinDuration(t, before.Add(-time.Hour), sent.Until, time.Minute)
	require.InDelta(t, 100, sent.Rate, 0)
	require.Contains(t, g.run(t, "endpoint", "recover", "ep_1", "--since", "1h", "--json").ok(t), `"found": 12000`)
}

func TestRecoverUnmatched(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"POST" + recoverPath: {{status: 202, body: `{"dry_run":true,"found":2}`}},
		"GET" + recoverPath:  {recoveryAt("failed", `"reason":"the endpoint was disabled","unmatched":true,"found":2,"redelivered":1,"skipped":0`)},
	})
	out := g.run(t, "endpoint", "recover", "ep_1", "--since", "2026-01-31T12:00:00Z", "--unmatched", "--dry-run").ok(t)
	require.Equal(t, "2 deliveries to ep_1 of events that no endpoint wanted; nothing was started\n", out)
	require.JSONEq(t, `{"since":"2026-01-31T12:00:00Z","unmatched":true,"dry_run":true,"rate_per_second":10}`, g.last(t).body)
	out = g.run(t, "endpoint", "recover", "ep_1", "--since", "1h", "--unmatched").ok(t)
	require.Contains(t, out, "2 deliveries of ep_1 to be started, 10 a second")
	require.Contains(t, g.run(t, "endpoint", "recover", "ep_1", "--status").ok(t), "of           events that no endpoint wanted\n")
	line := g.run(t, "endpoint", "recover", "ep_1", "--since", "1h", "--unmatched", "--wait").code
	require.Equal(t, 1, line, "it stopped before its end")
}

func TestRecoverStatusAndCancel(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET" + recoverPath:    {recoveryAt("running", `"found":200,"redelivered":120,"skipped":3`)},
		"DELETE" + recoverPath: {{status: 202, body: `{"workflow_id":"recovery/demo/ep_1","run_id":"run-1"}`}},
	})
	require.Equal(t, `status       running
found        200
redelivered  120
skipped      3
since        2026-01-31T12:00:00Z
until        2026-02-01T12:00:00Z
rate         10/s
by           alice
`, g.run(t, "endpoint", "recover", "ep_1", "--status").ok(t))
	require.Contains(t, g.run(t, "endpoint", "recover", "ep_1", "--status", "--json").ok(t), `"skipped": 3`)
	require.Contains(t, g.run(t, "endpoint", "recover", "ep_1", "--cancel").ok(t), "ends after the delivery at hand")
	require.Contains(t, g.run(t, "endpoint", "recover", "ep_1", "--cancel", "--json").ok(t), `"run-1"`)
}

func TestRecoverWait(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"POST" + recoverPath: {{status: 202, body: `{"found":200}`}},
		"GET" + recoverPath: {
			recoveryAt("running", `"found":100,"redelivered":7,"skipped":0`),
			recoveryAt("running", `"found":100,"redelivered":7,"skipped":0`),
			{status: 503, body: `{"code":"unavailable","detail":"no"}`},
			recoveryAt("completed", `"found":200,"redelivered":199,"skipped":1`),
		},
	})
	r := g.run(t, "endpoint", "recover", "ep_1", "--since", "1h", "--wait")
	require.Contains(t, r.stdout, "redelivered  199\n")
	require.Equal(t, "7 redelivered, 0 skipped, of 100 found so far\n", r.stderr)
	require.Zero(t, r.code)

	g.set("GET"+recoverPath, recoveryAt("cancelled", `"reason":"its workflow was cancelled","found":200,"redelivered":9,"skipped":1`))
	line := g.run(t, "endpoint", "recover", "ep_1", "--status", "--wait").fails(t, 1)
	require.Equal(t, "the recovery ended early: cancelled: its workflow was cancelled", line)

	g.set("GET"+recoverPath, canned{status: 403, body: `{"code":"missing_scope","detail":"no"}`})
	g.run(t, "endpoint", "recover", "ep_1", "--since", "1h", "--wait").fails(t, 1)
}

func TestRecoverThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{},
		{"--since", "yesterday"},
		{"--since", "1h", "--until", "soon"},
		{"--since", "1h", "--status"},
		{"--status", "--cancel"},
		{"--status", "--until", "1h"},
		{"--cancel", "--dry-run"},
		{"--status", "--unmatched"},
		{"--cancel", "--rate", "5"},
		{"--cancel", "--wait"},
		{"--since", "1h", "--dry-run", "--wait"},
		{"--since", "1h", "extra"},
	} {
		g.run(t, append([]string{"endpoint", "recover", "ep_1"}, args...)...).fails(t, 2)
	}
	require.Empty(t, g.requests)
}

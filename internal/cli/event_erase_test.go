package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEventErase erases one event, or page by page a subject's, and says which were not.
func TestEventErase(t *testing.T) {
	t.Parallel()
	const one = `{"event_id":"evt_1","status":"erased","asked_at":"2026-02-03T12:00:00Z","by":"jane","reason":"request 17","data_sha256":"abc","data_bytes":3}`
	g := newStandIn(t, map[string][]canned{
		"DELETE /v1/tenants/demo/events/evt_1/data": {{body: one}},
		"POST /v1/tenants/demo/subjects/erase": {
			{body: `{"erased":[` + one + `,` + one + `],"refused":[{"event_id":"evt_2","why":"it is being delivered"}],"next":"evt_3"}`},
			{body: `{"erased":[` + one + `],"refused":[]}`},
		},
		"POST /v1/tenants/demo/events/evt_1/hold": {{body: `{"event_id":"evt_1","at":"2026-02-03T12:00:00Z","by":"jane","reason":"case 12"}`}},
		"POST /v1/tenants/demo/subjects/unhold":   {{body: `{"at":"2026-02-03T12:00:00Z","by":"jane","reason":"closed"}`}},
	})
	r := g.run(t, "event", "erase", "evt_1", "--reason", "request 17", "--cancel")
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "evt_1 is erased: 3 bytes, SHA-256 abc\nasked for by jane on 2026-02-03T12:00:00Z: request 17\n", r.stdout)
	require.Equal(t, "/v1/tenants/demo/events/evt_1/data?cancel=true&reason=request+17", g.last(t).uri)

	r = g.run(t, "event", "erase", "--subject", "customer-1", "--reason", "request 17")
	require.Equal(t, 1, r.code)
	require.Equal(t, "evt_2 not erased: it is being delivered\n3 events erased\n", r.stdout)
	require.Contains(t, r.stderr, "some of the subject's events were not erased")
	require.JSONEq(t, `{"subject":"customer-1","reason":"request 17","after":"evt_3"}`, g.last(t).body)

	r = g.run(t, "event", "hold", "evt_1", "--reason", "case 12")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "evt_1 is under a legal hold: jane, ")
	r = g.run(t, "event", "unhold", "--subject", "customer-1", "--reason", "closed")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "the subject is under no legal hold any more: jane, ")
	for _, wrong := range [][]string{
		{"event", "erase", "--reason", "x"}, {"event", "erase", "evt_1"}, {"event", "hold", "evt_1", "--subject", "s", "--reason", "x"}, {"event", "unhold"},
	} {
		require.Equal(t, 2, g.run(t, wrong...).code, wrong)
	}
}

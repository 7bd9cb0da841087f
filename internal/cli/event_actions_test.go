package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	const delivery = `{"endpoint_id":"ep_1","status":"retrying","attempts":[{"number":1,"status_code":503}]}`
	for order, line := range map[string]string{
		"retry-now": "evt_1 to ep_1 makes its next attempt now; it had made 1 attempt\n\nNext: hookloop event get evt_1\n",
		"cancel":    "evt_1 to ep_1 is being cancelled; it had made 1 attempt\n\nNext: hookloop event get evt_1\n",
	} {
		g := newStandIn(t, map[string][]canned{
			"POST /v1/tenants/demo/events/evt_1/deliveries/ep_1/" + order: {{status: 202, body: delivery}},
		})
		require.Equal(t, line, g.run(t, "event", order, "evt_1", "ep_1", "--reason", `it's "mended"`).ok(t))
		require.JSONEq(t, `{"reason":"it's \"mended\""}`, g.last(t).body)
		require.JSONEq(t, delivery, g.run(t, "event", order, "evt_1", "ep_1", "--json").ok(t))
		g.run(t, "event", order, "evt_1").fails(t, 2)
		require.Contains(t, g.run(t, "event", order, "evt_1", "ep_2").fails(t, 1), "(not_found, HTTP 404)")
	}
}

func TestRedeliver(t *testing.T) {
	t.Parallel()
	const path = "POST /v1/tenants/demo/events/evt_1/redeliver"
	const started = `{"deliveries":[{"endpoint_id":"ep_1","workflow_id":"delivery/demo/evt_1/ep_1"},{"endpoint_id":"ep_2","workflow_id":"w"}]}`
	g := newStandIn(t, map[string][]canned{path: {{status: 202, body: started}}})
	require.Equal(t, "evt_1 is delivered to ep_1 again\nevt_1 is delivered to ep_2 again\n\nNext: hookloop event get evt_1\n",
		g.run(t, "event", "redeliver", "evt_1").ok(t))
	require.JSONEq(t, `{}`, g.last(t).body)
	require.JSONEq(t, started, g.run(t, "event", "redeliver", "evt_1", "--endpoint", "ep_1", "--json").ok(t))
	require.JSONEq(t, `{"endpoint_id":"ep_1"}`, g.last(t).body)

	g.set("GET /v1/tenants/demo/events/evt_1", event("delivering", ""), event("delivered", ""))
	require.Contains(t, g.run(t, "event", "redeliver", "evt_1", "--wait").ok(t), "evt_1  contact.updated  delivered")
	g.set("GET /v1/tenants/demo/events/evt_1", event("failed", ""))
	g.run(t, "event", "redeliver", "evt_1", "--wait").fails(t, 1)

	g.set(path, canned{status: 410, body: `{"code":"history_expired","detail":"the history is gone"}`})
	require.Equal(t, "the history is gone (history_expired, HTTP 410)", g.run(t, "event", "redeliver", "evt_1", "--wait").fails(t, 1))
	for _, args := range [][]string{{}, {"evt_1", "--endpoint", ""}, {"evt_1", "--endpoint", "crm"}, {"evt_1", "--timeout", "1s"}} {
		g.run(t, append([]string{"event", "redeliver"}, args...)...).fails(t, 2)
	}
}

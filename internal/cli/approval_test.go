package cli

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
)

const approvalURI = " /v1/tenants/demo/approvals/ep_1"

// approval is the report of ep_1, with more fields if need be.
func approval(status, more string) canned {
	return canned{body: `{"endpoint_id":"ep_1","status":"` + status + `",` + more + `"failing_since":"2026-01-31T12:00:00Z","waiting":120,"released":0,
		"workflow_id":"approval/demo/ep_1","run_id":"run-1","unknown_here":1.10}`}
}

func approvalPage(all ...canned) canned {
	var data []string
	for _, a := range all {
		data = append(data, a.body)
	}
	return canned{body: `{"data":[` + strings.Join(data, ",") + `],"next_cursor":null}`}
}

func TestApprovalList(t *testing.T) {
	t.Parallel()
	const uri = "GET /v1/tenants/demo/approvals"
	asked := approval("awaiting-approval", `"reason":"failing for\u001b 1h","decide_by":"2026-02-07T13:00:00Z",`)
	g := newStandIn(t, map[string][]canned{uri: {approvalPage(asked, canned{body: `{"endpoint_id":"ep_2","status":"watching"}`})}})
	require.Equal(t, `ENDPOINT  WHERE  STATUS             FAILING SINCE         DECIDE BY             WAITING  REASON
ep_1      -      awaiting-approval  2026-01-31T12:00:00Z  2026-02-07T13:00:00Z  120      failing for\u001b 1h
ep_2      -      watching           -                     -                     -        
`, g.run(t, "approval", "list").ok(t))
	require.Equal(t, "/v1/tenants/demo/approvals?limit=50", g.last(t).uri)
	require.Contains(t, g.run(t, "approval", "list", "--json").ok(t), `"unknown_here": 1.10`)

	g.set(uri, canned{body: `{"data":[],"next_cursor":"c1"}`})
	r := g.run(t, "approval", "list", "--status", "rejected", "--limit", "1", "--cursor", "c0")
	require.Equal(t, "There is more: hookloop approval list --cursor c1, or --all\n", r.stderr)
	require.Equal(t, "/v1/tenants/demo/approvals?cursor=c0&limit=1&status=rejected", g.last(t).uri)

	g.set(uri, canned{status: 422, body: `{"code":"invalid_field","detail":"status is none"}`})
	require.Equal(t, "status is none (invalid_field, HTTP 422)", g.run(t, "approval", "list", "--status", "odd").fails(t, 1))
}

func TestApprovalShow(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{
		"GET" + approvalURI: {approval("awaiting-approval", `"reason":"it has failed for 1h","asked_at":"2026-01-31T13:00:00Z",
			"decide_by":"2026-02-07T13:00:00Z","decision":{"by":"alice","reason":"looks\nfine"},"decided_at":"2026-01-31T14:00:00Z",
			"last_answers":[{"at":"2026-01-31T12:59:00Z","event_id":"evt_1","status_code":503},
			                {"at":"2026-01-31T12:59:30Z","event_id":"evt_2","failure":"refused"}],`)},
		"GET /v1/tenants/demo/endpoints/ep_1": {{body: `{"id":"ep_1","url":"https://crm.example.com/","description":"the CRM"}`}},
	})
	out := g.run(t, "approval", "show", "ep_1").ok(t)
	head, rest, _ := strings.Cut(out, "failing since  2026-01-31T12:00:00Z (")
	require.Equal(t, "ep_1  awaiting-approval: it has failed for 1h\nhttps://crm.example.com/  the CRM\n\n", head)
	_, rest, _ = strings.Cut(rest, "\n") // how long ago depends on today
	require.Equal(t, `asked          2026-01-31T13:00:00Z
decide by      2026-02-07T13:00:00Z (due), else it is rejected
waiting        120 deliveries
decided        2026-01-31T14:00:00Z by alice: looks\u000afine

last answers
  2026-01-31T12:59:00Z  HTTP 503             evt_1
  2026-01-31T12:59:30Z  no answer (refused)  evt_2

approve  sends the oldest delivery that waits as a probe; if it arrives, the endpoint is active and the
         others follow, the oldest first, 10 a second unless --rate says otherwise; if only that event is
         refused, the next two are tried; if none arrives, the endpoint is held again
reject   disables the endpoint; what waits ends as rejected, and can be redelivered later

  hookloop approval approve ep_1 --reason 'why'
  hookloop approval reject ep_1 --reason 'why'

Temporal UI  http://ui.test/namespaces/hook%20loop/workflows/approval%2Fdemo%2Fep_1/run-1/history
`, rest)
	require.Contains(t, g.run(t, "approval", "show", "ep_1", "--json").ok(t), `"unknown_here": 1.10`)

	g.set("GET /v1/tenants/demo/endpoints/ep_1", canned{status: 403, body: `{"code":"missing_scope","detail":"no"}`})
	require.True(t, strings.HasPrefix(g.run(t, "approval", "show", "ep_1").ok(t), "ep_1  awaiting-approval: it has failed for 1h\n\nfailing"))
	require.Contains(t, g.run(t, "approval", "show", "ep_2").fails(t, 1), "(not_found, HTTP 404)")
}

func TestApprovalShowTellsWhatIsNext(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	since, one := now.Add(-time.Hour), 1
	for _, tt := range []struct {
		status api.ApprovalStatus
		next   string
	}{
		{api.ApprovalWatching, "\nIt may recover by itself; people are not asked yet. 'hookloop endpoint pause ep_1' stops deliveries now.\n\n" +
			"Next: hookloop approval watch ep_1\n"},
		{api.ApprovalProbing, "\nNext: hookloop approval watch ep_1\n"},
		{api.ApprovalReleasing, "\nNext: hookloop approval watch ep_1\n"},
		{api.ApprovalRejected, "\nTo bring it back, and then what it missed:\n\n  hookloop endpoint resume ep_1\n" +
			"  hookloop endpoint recover ep_1 --since 2026-01-31T10:00:00Z\n"},
		{api.ApprovalCancelled, "\nNext: hookloop endpoint resume ep_1\n"},
		{api.ApprovalReleased, ""},
		{api.ApprovalRecovered, ""},
	} {
		p := approvalPicture{now: now, endpoint: api.Endpoint{State: "paused"}, Approval: api.Approval{
			EndpointID: "ep_1", Status: tt.status, FailingSince: &since, Waiting: &one, CountedAt: &now, Released: 3,
		}}
		require.Equal(t, "ep_1  "+string(tt.status)+"\n\nfailing since  2026-01-31T11:00:00Z (1h0m0s ago)\n"+
			"waiting        1 delivery, counted just now\nreleased       3 deliveries\n"+tt.next, p.String())
	}
}

// TestApprovalShowTellsWhenPeopleAreAsked, and nothing of what was not counted.
func TestApprovalShowTellsWhenPeopleAreAsked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	at := now.Add(50 * time.Minute)
	p := approvalPicture{now: now, Approval: api.Approval{EndpointID: "ep_1", Status: api.ApprovalWatching, AskAt: &at}}
	require.Contains(t, p.String(), "people are asked  2026-01-31T12:50:00Z (in 50m0s), unless it takes a delivery before\n")
	require.NotContains(t, p.String(), "waiting")
}

func TestApprovalDecisions(t *testing.T) {
	t.Parallel()
	approved := approval("probing", "")
	approved.status = http.StatusAccepted
	tests := map[string]struct {
		args       []string
		body, line string
	}{
		"approve": {
			[]string{"approve", "ep_1"},
			`{}`,
			"ep_1 is approved: the oldest delivery that waits is its probe; if that arrives, the others follow, 10 a second, 120 in about 12s\n\nNext: hookloop approval watch ep_1\n",
		},
		"at a pace": {
			[]string{"approve", "ep_1", "--rate", "0.5", "--reason", `it's "mended"`},
			`{"reason":"it's \"mended\"","rate_per_second":0.5}`,
			"ep_1 is approved: the oldest delivery that waits is its probe; if that arrives, the others follow, 0.5 a second, 120 in about 4m0s\n\nNext: hookloop approval watch ep_1\n",
		},
		"reject": {
			[]string{"reject", "ep_1", "--reason", "they left"},
			`{"reason":"they left"}`,
			"ep_1 is rejected: it is disabled, and what waits (120 deliveries) ends as rejected\n\nNext: hookloop approval show ep_1\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"POST" + approvalURI + "/" + tt.args[0]: {approved}})
			args := append([]string{"approval"}, tt.args...)
			require.Equal(t, tt.line, g.run(t, args...).ok(t))
			require.JSONEq(t, tt.body, g.last(t).body)
			require.JSONEq(t, approved.body, g.run(t, append(args, "--json")...).ok(t))

			g.set("POST"+approvalURI+"/"+tt.args[0], canned{status: 409, body: `{"code":"conflict","detail":"alice approved it already"}`})
			require.Equal(t, "alice approved it already (conflict, HTTP 409)", g.run(t, args...).fails(t, 1))
			args[2] = "ep_2"
			require.Contains(t, g.run(t, args...).fails(t, 1), "(not_found, HTTP 404)")
		})
	}
}

func TestApprovalThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	for _, args := range [][]string{
		{"frobnicate"},
		{"list", "ep_1"},
		{"list", "--limit", "0"},
		{"show"},
		{"show", ""},
		{"show", "approval/demo/ep_1"},
		{"show", "ep_1", "ep_2"},
		{"approve"},
		{"approve", "crm"},
		{"approve", "ep_1", "--rate", "fast"},
		{"approve", "ep_1", "--rate", "0"},
		{"approve", "ep_1", "--rate", "-1"},
		{"approve", "ep_1", "--rate", "NaN"},
		{"approve", "ep_1", "--rate", "1001"},
		{"reject"},
		{"reject", "evt_1"},
		{"reject", "ep_1", "--rate", "5"},
		{"watch", "crm"},
		{"watch", "ep_1", "ep_2"},
	} {
		g.run(t, append([]string{"approval"}, args...)...).fails(t, 2)
	}
	require.Empty(t, g.requests)
	require.Equal(t, `an approval has its endpoint's id, ep_…, not "crm"; see hookloop approval show --help`,
		g.run(t, "approval", "show", "crm").fails(t, 2))
}

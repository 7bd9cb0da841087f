package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/webhook"
)

const failingEndpoint = "ep_01jzc8k0a2n4p6r8s0t2v4w6x8"

func awaiting() webhook.ApprovalReport {
	since, waiting := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC), 7
	return webhook.ApprovalReport{
		EndpointID: failingEndpoint, Status: webhook.ApprovalAwaiting, Reason: "it answers 503", FailingSince: &since, Waiting: &waiting,
		LastAnswers: []webhook.Answer{{At: since, EventID: unknownEvent, StatusCode: 503}},
		WorkflowID:  "approval/acme/" + failingEndpoint, RunID: "run",
	}
}

func TestListApprovals(t *testing.T) {
	t.Parallel()
	type page struct {
		Data []webhook.ApprovalReport
		Next *string `json:"next_cursor"`
	}
	r := newRig(t)
	require.JSONEq(t, `{"data":[],"next_cursor":null}`, r.do("GET", "/approvals", "").Body.String())
	r.approvals.found, r.approvals.next = []webhook.ApprovalReport{awaiting()}, []byte("there")
	first := read[page](t, r.do("GET", "/approvals?status=awaiting-approval&limit=1", ""), 200)
	require.Equal(t, []webhook.ApprovalReport{awaiting()}, first.Data)
	r.approvals.found, r.approvals.next = nil, nil
	last := read[page](t, r.do("GET", "/approvals?status=awaiting-approval&cursor="+*first.Next, ""), 200)
	require.Equal(t, page{Data: []webhook.ApprovalReport{}}, last)
	require.Equal(t, []approvalCall{
		{verb: "list", tenant: "acme", limit: 50},
		{verb: "list", tenant: "acme", limit: 1, status: webhook.ApprovalAwaiting},
		{verb: "list", tenant: "acme", limit: 50, status: webhook.ApprovalAwaiting, page: "there"},
	}, r.approvals.calls)

	for _, q := range []string{"status=held", "limit=0", "limit=251", "cursor=YQ", "what=1", "status=watching&cursor=" + *first.Next} {
		refused(t, r.do("GET", "/approvals?"+q, ""), 422, webhook.Invalid)
	}
	refused(t, r.do("GET", "=/v1/tenants/other/approvals?status=awaiting-approval&cursor="+*first.Next, ""), 422, webhook.Invalid)
	require.Len(t, r.approvals.calls, 3)
}

func TestGetApproval(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.approvals.report = awaiting()
	w := r.do("GET", "/approvals/"+failingEndpoint, "")
	require.Equal(t, awaiting(), read[webhook.ApprovalReport](t, w, 200))
	require.NotContains(t, w.Body.String(), "decided_at")
	refused(t, r.do("GET", "/approvals/ep_x", ""), 404, webhook.NotFound)
	require.Equal(t, []approvalCall{{verb: "get", tenant: "acme", endpointID: failingEndpoint}}, r.approvals.calls)
}

func TestDecisionsReachTheApproval(t *testing.T) {
	t.Parallel()
	for verb, bodies := range map[string]map[string]webhook.Decision{
		"approve": {
			``:                                       {},
			`{}`:                                     {},
			`{"reason":null,"rate_per_second":null}`: {},
			`{"reason":"mended"}`:                    {Reason: "mended"},
			`{"reason":"ü","rate_per_second":0.1}`:   {Reason: "ü", RatePerSecond: 0.1},
			`{"rate_per_second":1e3}`:                {RatePerSecond: 1000},
		},
		"reject": {``: {}, `{"reason":"gone for good"}`: {Reason: "gone for good"}},
	} {
		for body, want := range bodies {
			r := newRig(t)
			r.approvals.report = awaiting()
			got := read[webhook.ApprovalReport](t, r.do("POST", "/approvals/"+failingEndpoint+"/"+verb, body), 202)
			require.Equal(t, awaiting(), got)
			want.By = "tester"
			require.Equal(t, []approvalCall{{verb: verb, tenant: "acme", endpointID: failingEndpoint, decision: want}}, r.approvals.calls, body)
		}
	}
}

// badOrders are bodies, and the field each is refused for; a rate is unknown where nothing is
// released.
func badOrders(released bool) map[string]string {
	bad := map[string]string{
		`{"surprise":1}`: "surprise", `{"by":"me"}`: "by", `{"reason":7}`: "reason", `{"reason":"a","reason":"b"}`: "reason",
		`{"reason":"` + strings.Repeat("r", 1025) + `"}`: "reason",
	}
	for _, rate := range []string{"0", "-0.0", "-1", "0.09", "1e-400", "1e9", "1e999", `"10"`, "true"} {
		bad[`{"rate_per_second":`+rate+`}`] = "rate_per_second"
	}
	if !released {
		bad[`{"rate_per_second":10}`] = "rate_per_second"
	}
	return bad
}

func TestBadDecisions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com"}`)
	for path, released := range map[string]bool{
		"/approvals/" + id + "/approve": true, "/approvals/" + id + "/reject": false,
		"/endpoints/" + id + "/resume": true, "/endpoints/" + id + "/pause": false,
	} {
		for body, field := range badOrders(released) {
			require.Equal(t, field, refused(t, r.do("POST", path, body), 422, webhook.Invalid).Errors[0].Field, path+body)
		}
		for _, body := range []string{"nonsense", "[]", "null", `{"rate_per_second":NaN}`} {
			refused(t, r.do("POST", path, body), 400, webhook.BadJSON)
		}
		refused(t, r.do("POST", strings.Replace(path, id, "ep_x", 1), ""), 404, webhook.NotFound)
	}
	require.Empty(t, r.approvals.calls)
	require.Equal(t, 1, r.registry.all["acme/"+id].Version)
}

func TestWhatApprovalsRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		code   webhook.Code
		says   string
	}{
		"never failed":    {webhook.Errorf(webhook.NotFound, "there is none"), 404, webhook.NotFound, "there is none"},
		"too late":        {webhook.Errorf(webhook.Conflict, "jane has approved it"), 409, webhook.Conflict, "jane has approved it"},
		"Temporal is off": {errors.New("10.1.2.3 refused"), 503, api.Unavailable, "Temporal cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.approvals.down = c.err
			one := "/approvals/" + failingEndpoint
			for path, method := range map[string]string{one: "GET", one + "/approve": "POST", one + "/reject": "POST", "/approvals": "GET"} {
				p := refused(t, r.do(method, path, ""), c.status, c.code)
				require.Contains(t, p.Detail, c.says)
				require.NotContains(t, p.Detail, "10.1.2.3")
			}
		})
	}
}

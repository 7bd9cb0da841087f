package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// ended is an event of no endpoint, which ended at once.
func (r *rig) ended(body string, header ...string) string {
	r.t.Helper()
	got := read[acceptedEvent](r.t, r.do("POST", "/events", body, header...), 202)
	run := r.temporal.Run(got.WorkflowID)
	run.Status, run.Report = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, reportOf(got, webhook.EventUnmatched)
	return got.ID
}

// TestAnErasedEventIsToldOf by all that would show it, and is not brought back.
func TestAnErasedEventIsToldOf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.ended(`{"type":"a.b","data":{"name":"Zoë"}}`, "Idempotency-Key", "order-1")
	refused(t, r.do("DELETE", "/events/"+id+"/data", ""), 422, api.InvalidField)
	e := read[api.Erasure](t, r.do("DELETE", "/events/"+id+"/data?reason=request+17", ""), 200)
	require.Equal(t, []any{id, api.IsGone, "tester", "request 17", int64(len(`{"name":"Zoë"}`))}, []any{e.EventID, e.Status, e.By, e.Reason, e.DataBytes})
	require.Len(t, e.DataSHA256, 64)
	require.NotNil(t, e.ErasedAt)
	require.Equal(t, e, read[api.Erasure](t, r.do("DELETE", "/events/"+id+"/data?reason=again", ""), 200))
	for _, ask := range [][3]string{
		{"GET", "/events/" + id, ""},
		{"POST", "/events/" + id + "/redeliver", `{}`},
		{"POST", "/events/" + id + "/hold", `{"reason":"case 12"}`},
		{"POST", "/events", `{"type":"a.b","data":{"name":"Zoë"}}`},
	} {
		p := refused(t, r.do(ask[0], ask[1], ask[2], "Idempotency-Key", "order-1"), 410, api.Erased)
		require.Contains(t, p.Detail, "was erased: tester asked for it on ")
		require.Contains(t, p.Detail, "(request 17)")
	}
	refused(t, r.do("DELETE", "/events/evt_"+strings.Repeat("0", 26)+"/data?reason=x", ""), 404, api.NotFound)
	refused(t, r.do("DELETE", "/events/evt_x/data?reason=x", ""), 404, api.NotFound)
	refused(t, r.do("GET", "/events/evt_"+strings.Repeat("0", 26), ""), 404, api.NotFound)
}

// TestErasuresAreAPermissionOfTheirOwn, and so are legal holds.
func TestErasuresAreAPermissionOfTheirOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.ended(`{"type":"a.b","data":1}`)
	var rest []string
	for _, scope := range api.Scopes() {
		if scope != api.AuditErase && scope != api.AuditHold {
			rest = append(rest, scope)
		}
	}
	as := func(scopes ...string) { r.token = sign(t, with(jwt.MapClaims{"scope": strings.Join(scopes, " ")})) }
	erase, hold := "/events/"+id+"/data?reason=x", "/events/"+id+"/hold"
	as(rest...)
	refused(t, r.do("DELETE", erase, ""), 403, api.MissingScope)
	refused(t, r.do("POST", "/subjects/erase", `{"subject":"s","reason":"x"}`), 403, api.MissingScope)
	refused(t, r.do("POST", hold, `{"reason":"x"}`), 403, api.MissingScope)
	as(api.AuditErase)
	refused(t, r.do("POST", hold, `{"reason":"x"}`), 403, api.MissingScope)
	refused(t, r.do("POST", "/subjects/unhold", `{"subject":"s","reason":"x"}`), 403, api.MissingScope)
	as(api.AuditHold)
	refused(t, r.do("DELETE", erase, ""), 403, api.MissingScope)
	refused(t, r.do("POST", hold, `{}`), 422, api.InvalidField)
	h := read[api.Hold](t, r.do("POST", hold, `{"reason":"case 12"}`), 200)
	require.Equal(t, []string{id, "tester", "case 12"}, []string{h.EventID, h.By, h.Reason})
	as(api.AuditErase)
	p := refused(t, r.do("DELETE", erase, ""), 409, api.OnLegalHold)
	require.Contains(t, p.Detail, "is under a legal hold: tester asked for it on ")
	as(api.AuditHold)
	read[api.Hold](t, r.do("POST", "/events/"+id+"/unhold", `{"reason":"closed"}`), 200)
	refused(t, r.do("POST", "/events/"+id+"/unhold", `{"reason":"closed"}`), 404, api.NotFound)
	as(api.AuditErase)
	read[api.Erasure](t, r.do("DELETE", erase, ""), 200)
}

// TestASubjectIsNowhereInClear: of it only a hash is kept, by which its events are found.
func TestASubjectIsNowhereInClear(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const body = `{"type":"a.b","data":{"name":"Zoë"},"subject":"customer-4711"}`
	ids := []string{r.ended(body), r.ended(body)}
	kept := r.ended(`{"type":"a.b","data":1,"subject":"customer-4712"}`)
	for _, run := range r.temporal.Runs() {
		require.NotContains(t, run.Input.String(), "customer-47")
		require.NotContains(t, run.Options.StaticSummary, "customer-47")
	}
	for _, wrong := range []string{`""`, "7", `"` + strings.Repeat("x", 513) + `"`} {
		refused(t, r.do("POST", "/events", `{"type":"a.b","data":1,"subject":`+wrong+`}`), 422, api.InvalidField)
	}
	read[api.Hold](t, r.do("POST", "/subjects/hold", `{"subject":"customer-4711","reason":"case 12"}`), 200)
	refused(t, r.do("POST", "/subjects/erase", `{"subject":"customer-4711","reason":"request 17"}`), 409, api.OnLegalHold)
	read[api.Hold](t, r.do("POST", "/subjects/unhold", `{"subject":"customer-4711","reason":"closed"}`), 200)
	done := read[api.SubjectErased](t, r.do("POST", "/subjects/erase", `{"subject":"customer-4711","reason":"request 17"}`), 200)
	require.Empty(t, done.Next)
	require.Empty(t, done.Refused)
	require.Len(t, done.Erased, 2)
	for _, e := range done.Erased {
		require.Contains(t, ids, e.EventID)
	}
	require.Len(t, r.temporal.Runs(), 1)
	require.Contains(t, r.temporal.Runs()[0].ID, kept)
	require.NotContains(t, r.log.String(), "customer-47")
}

// TestAuditReadChangesNothing: of all operations, it opens those two that show the audit.
func TestAuditReadChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.ended(`{"type":"a.b","data":1}`)
	endpoint := r.endpoint(`{"url":"https://a.example"}`)
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(r.do("GET", "=/openapi.json", "").Body.Bytes(), &document))
	r.token = sign(t, with(jwt.MapClaims{"scope": api.AuditRead}))
	before, starts, recorded := len(r.temporal.Runs()), r.temporal.Starts(), len(r.registry.recorded)
	var open []string
	for path, operations := range document.Paths {
		for method := range operations {
			if !strings.HasPrefix(path, "/v1/") {
				continue
			}
			own := strings.NewReplacer("{tenant}", "acme", "{endpoint_id}", endpoint, "/events/{id}", "/events/"+id, "{id}", endpoint).Replace(path)
			w := r.do(strings.ToUpper(method), "="+own, `{"reason":"x"}`)
			if w.Code != 403 {
				open = append(open, strings.ToUpper(method)+" "+path)
				continue
			}
			refused(t, w, 403, api.MissingScope)
		}
	}
	require.ElementsMatch(t, []string{"GET /v1/tenants/{tenant}/events/{id}/audit", "GET /v1/tenants/{tenant}/audit"}, open)
	require.Equal(t, []int{before, starts, recorded}, []int{len(r.temporal.Runs()), r.temporal.Starts(), len(r.registry.recorded)})
	require.Equal(t, "https://a.example", r.registry.all["acme/"+endpoint].URL)
}

package e2e

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// asksAboutRefusals: an endpoint that answers 400 to five different events and takes none is asked
// about.
func asksAboutRefusals(t *testing.T, a app) {
	_, e := a.listen(t, endpointtest.Config{Script: "400:4 422 200"}, `,"schedule":["0s"],"approval":{"after":"1s"}`)
	for i := range 5 {
		a.settled(t, a.post(t, `{"type":"contact.updated","data":`+strconv.Itoa(i)+`}`).ID)
	}
	r := a.approval(t, e.ID, webhook.ApprovalAwaiting)
	require.Contains(t, r.Reason, "it has taken nothing since ")
	require.Contains(t, r.Reason, " and refuses one event after the other, last with HTTP 422")
	next := a.post(t, `{"type":"contact.updated","data":6}`).ID
	a.isHeld(t, next)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	require.Equal(t, webhook.Delivered, a.settled(t, next).Status)
}

// failsProbeWithNothingThere: 404 is no recovery, and a probe that finds nothing there does not let
// the others go.
func failsProbeWithNothingThere(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1 404:1 200", 3)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	eventually(t, "people are asked again", func() bool {
		return a.approval(t, e.ID, webhook.ApprovalAwaiting).Reason == "the probe failed: HTTP 404"
	})
	require.Len(t, s.Receipts(), 2)
	require.Equal(t, "the probe failed: HTTP 404", a.isHeld(t, ids[0]).Reason)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	require.Equal(t, 3, a.approval(t, e.ID, webhook.ApprovalReleased).Released)
}

// passesPoisonedProbe: an endpoint that refuses the oldest event and takes the next is well.
func passesPoisonedProbe(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1 400:1 200", 4)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", `{"rate_per_second":100}`, nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	for _, id := range ids[1:] {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	require.Equal(t, ids[:2], order(s, 1)[:2], "the oldest, then the next oldest")
	require.Equal(t, 400, a.delivery(t, ids[0], "goes on by its schedule", func(d webhook.DeliveryReport) bool {
		return d.Status == webhook.Retrying
	}).Attempts[1].StatusCode)
}

// tellsOfExhaustedDeliveries to endpoints that name it, to no others, and never of its own.
func tellsOfExhaustedDeliveries(t *testing.T, a app) {
	watcher, _ := a.listen(t, endpointtest.Config{Script: "500:1 200"}, `,"event_types":["delivery.exhausted"],"schedule":["0s"]`)
	family, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["delivery.*"]`)
	every, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["*"]`)
	_, e := a.listen(t, endpointtest.Config{Script: "400:2", Body: "no, hunter2"}, `,"schedule":["0s"]`)
	var ids []string
	for i := range 2 {
		ids = append(ids, a.post(t, `{"type":"contact.updated","data":`+strconv.Itoa(i)+`}`).ID)
	}
	said := ""
	for _, r := range receipts(t, family, 2) {
		require.NotContains(t, string(r.Body), "hunter2")
		said += string(r.Body)
	}
	for _, id := range ids {
		require.Contains(t, said, `"event_id":"`+id+`","event_type":"contact.updated","endpoint_id":"`+e.ID+`"`)
	}
	require.Contains(t, said, `"status_code":400`)
	receipts(t, watcher, 2) // the first of which it does not take, and no endpoint is told of that
	for _, r := range receipts(t, every, 2) {
		require.Contains(t, ids, r.ID)
	}
	require.Len(t, family.Receipts(), 2)
}

// outlivesCancellation: Request Cancellation in the Temporal UI has people asked all the same.
func outlivesCancellation(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1", 2)
	before := a.approval(t, e.ID, webhook.ApprovalAwaiting)
	c := a.p.dial(t)
	require.NoError(t, c.CancelWorkflow(t.Context(), workflows.ApprovalWorkflowID(a.p.Tenant, e.ID), ""))
	eventually(t, "people are asked again", func() bool {
		r := a.approval(t, e.ID, webhook.ApprovalAwaiting)
		return r.RunID != before.RunID && r.AskedAt.After(*before.AskedAt)
	})
	require.Equal(t, webhook.EndpointHeld, a.endpointState(t, e.ID).State)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	require.ElementsMatch(t, ids, order(s, 1))
}

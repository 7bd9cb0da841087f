package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestOperate does what operators do, each case in a tenant of its own.
func TestOperate(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, app){
		"retry-now":         retryNow,
		"cancel":            cancel,
		"signal":            signals,
		"terminate":         terminates,
		"cancel-the-event":  cancelsEvent,
		"redeliver":         redelivers,
		"history-expired":   expires,
		"recover":           recovers,
		"rate-limit":        limits,
		"breaker-is-shown":  showsBreaker,
		"retry-a-deferral":  retriesDeferral,
		"fast-lane-is-over": hasNothingToRetry,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = name
			test(t, app{&mine})
		})
	}
}

// waitingDelivery is one that failed once and waits a day.
func waitingDelivery(t *testing.T, a app, script string) (*endpointtest.Server, endpoint, accepted) {
	t.Helper()
	s, e := a.listen(t, endpointtest.Config{Script: script}, `,"schedule":["0s","24h"]`)
	ev := a.post(t, `{"type":"contact.updated","data":{"id":1}}`)
	receipts(t, s, 1)
	eventually(t, "the delivery waits", func() bool { return a.event(t, ev.ID).Deliveries[0].NextAttemptAt != nil })
	return s, e, ev
}

func retryNow(t *testing.T, a app) {
	s, e, ev := waitingDelivery(t, a, "503 200")
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/retry-now", "", nil)
	require.Equal(t, ev.ID, receipts(t, s, 2)[1].ID)
	done := a.ended(t, ev.ID)
	require.Equal(t, "delivered", done.Status)
	require.Len(t, done.Deliveries[0].Attempts, 2)
}

func cancel(t *testing.T, a app) {
	s, e, ev := waitingDelivery(t, a, "503")
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/cancel", `{"reason":"wrong customer"}`, nil)
	done := a.ended(t, ev.ID)
	require.Equal(t, "failed", done.Status)
	require.Equal(t, "cancelled", done.Deliveries[0].Status)
	require.Equal(t, "cancelled by dev: wrong customer", done.Deliveries[0].Reason)
	require.Len(t, s.Receipts(), 1)
}

// signals is the Temporal UI's own Send Signal.
func signals(t *testing.T, a app) {
	s, e, ev := waitingDelivery(t, a, "503 200")
	id := workflows.DeliveryWorkflowID(a.p.Tenant, ev.ID, e.ID)
	c := a.p.dial(t)
	require.NoError(t, c.SignalWorkflow(t.Context(), id, "", workflows.SignalCancel, "garbage"), "passed over")
	require.NoError(t, c.SignalWorkflow(t.Context(), id, "", workflows.SignalRetryNow, nil))
	receipts(t, s, 2)
	require.Equal(t, "delivered", a.ended(t, ev.ID).Status)
}

func terminates(t *testing.T, a app) {
	_, e, ev := waitingDelivery(t, a, "503")
	id := workflows.DeliveryWorkflowID(a.p.Tenant, ev.ID, e.ID)
	require.NoError(t, a.p.dial(t).TerminateWorkflow(t.Context(), id, "", "enough"))
	done := a.ended(t, ev.ID)
	require.Equal(t, "failed", done.Status)
	require.Equal(t, "cancelled", done.Deliveries[0].Status)
	require.Contains(t, done.Deliveries[0].Reason, "terminated")
}

func cancelsEvent(t *testing.T, a app) {
	s, _, ev := waitingDelivery(t, a, "503")
	require.NoError(t, a.p.dial(t).CancelWorkflow(t.Context(), ev.WorkflowID, ""))
	done := a.ended(t, ev.ID)
	require.Equal(t, "failed", done.Status)
	require.Equal(t, "cancelled", done.Deliveries[0].Status)
	require.Len(t, done.Deliveries[0].Attempts, 1, "what was done stays visible")
	require.Len(t, s.Receipts(), 1)
}

func redelivers(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{Script: "500 200"}, `,"schedule":["0s"]`)
	ev := a.post(t, `{"type":"contact.updated","data":{"id":1.10}}`)
	require.Equal(t, "failed", a.ended(t, ev.ID).Status)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/redeliver", "", nil)
	got := receipts(t, s, 2)
	require.Equal(t, ev.ID, got[1].ID, "the same webhook-id")
	require.Equal(t, string(got[0].Body), string(got[1].Body))
	eventually(t, "the redelivery is seen", func() bool { return a.event(t, ev.ID).Deliveries[0].Status == "delivered" })

	a.call(t, http.StatusConflict, http.MethodPost, "/events/"+ev.ID+"/redeliver", "", nil)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/redeliver", `{"endpoint_id":"`+e.ID+`"}`, nil)
	receipts(t, s, 3)
}

// expires deletes the one workflow that holds the data, as retention does.
func expires(t *testing.T, a app) {
	a.listen(t, endpointtest.Config{}, "")
	ev := a.post(t, `{"type":"contact.updated","data":1}`)
	a.ended(t, ev.ID)
	c := a.p.dial(t)
	_, err := c.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: a.p.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: ev.WorkflowID},
	})
	require.NoError(t, err)
	eventually(t, "the history is gone", func() bool {
		status, body := a.try(t.Context(), http.MethodPost, "/events/"+ev.ID+"/redeliver", "", nil)
		return status == http.StatusGone && strings.Contains(string(body), `"history_expired"`)
	})
}

func recovers(t *testing.T, a app) {
	const lost = 30
	s, e := a.listen(t, endpointtest.Config{Script: "400:30 200"}, `,"schedule":["0s"]`)
	since := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	ids := map[string]bool{}
	for range lost {
		ids[a.post(t, `{"type":"contact.updated","data":1}`).ID] = true
	}
	receipts(t, s, lost)
	var dry struct{ Found int }
	eventually(t, "all are found", func() bool {
		status, body := a.try(t.Context(), http.MethodPost, "/endpoints/"+e.ID+"/recover", `{"since":"`+since+`","dry_run":true}`, nil)
		require.Equal(t, 2, status/100, "%s", body)
		require.NoError(t, json.Unmarshal(body, &dry))
		return dry.Found == lost
	})
	require.Len(t, s.Receipts(), lost, "a dry run sends nothing")
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/recover", `{"since":"`+since+`","rate_per_second":100}`, nil)
	for _, r := range receipts(t, s, 2*lost)[lost:] {
		require.True(t, ids[r.ID])
		delete(ids, r.ID)
	}
	require.Empty(t, ids, "each one once")
}

func limits(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{}, `,"rate_limit":{"per_second":10,"burst":1}`)
	const n = 15
	begun := time.Now()
	for range n {
		a.post(t, `{"type":"contact.updated","data":1}`)
	}
	got := receipts(t, s, n)
	require.GreaterOrEqual(t, got[n-1].At.Sub(begun), 1300*time.Millisecond, "14 after the first, at 10 a second")
	for _, r := range got {
		require.NoError(t, r.Verified)
	}
}

func showsBreaker(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s","24h"]`)
	state := func() string {
		var got struct{ Breaker string }
		a.call(t, http.StatusOK, http.MethodGet, "/endpoints/"+e.ID, "", &got)
		return got.Breaker
	}
	require.Equal(t, "closed", state())
	for range 5 {
		a.post(t, `{"type":"contact.updated","data":1}`)
	}
	receipts(t, s, 5)
	eventually(t, "the breaker opens", func() bool { return state() == "open" })
	ev := a.post(t, `{"type":"contact.updated","data":1}`)
	eventually(t, "the sixth is deferred", func() bool {
		d := a.event(t, ev.ID).Deliveries[0]
		return strings.Contains(d.Reason, string(webhook.DeferBreaker)) && d.NextAttemptAt != nil
	})
	requireShut(t, s, 5)
}

// retriesDeferral: retry-now while Temporal holds a deferred turn ends that, and asks the guards
// again.
func retriesDeferral(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{}, `,"rate_limit":{"per_second":0.01,"burst":1}`)
	a.post(t, `{"type":"contact.updated","data":1}`)
	receipts(t, s, 1)
	ev := a.post(t, `{"type":"contact.updated","data":2}`)
	eventually(t, "it is deferred", func() bool { return a.event(t, ev.ID).Deliveries[0].NextAttemptAt != nil })
	a.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+e.ID, `{"rate_limit":null}`, nil)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/retry-now", "", nil)
	require.Equal(t, ev.ID, receipts(t, s, 2)[1].ID)
}

func hasNothingToRetry(t *testing.T, a app) {
	_, e := a.listen(t, endpointtest.Config{}, "")
	ev := a.post(t, `{"type":"contact.updated","data":1}`)
	a.ended(t, ev.ID)
	a.call(t, http.StatusConflict, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/retry-now", "", nil)
	a.call(t, http.StatusNotFound, http.MethodPost, "/events/"+ev.ID+"/deliveries/ep_00000000000000000000000000/cancel", "", nil)
}

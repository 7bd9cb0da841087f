package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var record = flag.String("record", "", "write replay histories under this name, e.g. v0.1: from a release only")

const histories = "../workflows/testdata/histories"

// TestRecord plays every path of the workflows through the real engine and keeps the histories.
// Run it from released code: what it writes is what replay holds every later change against.
func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("writes files; `make record` runs it")
	}
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, run := range map[string]func(*testing.T, app) event{
		"delivered":        recordDelivered,
		"no-endpoint":      recordNoEndpoint,
		"retried":          recordRetried,
		"exhausted":        recordExhausted,
		"waits-first":      recordWaitsFirst,
		"breaker-defers":   recordDeferred,
		"endpoint-deleted": recordDeleted,
		"cancelled":        recordCancelled,
		"wide":             recordWide,
		"gone-is-held":     recordGone,
		"aborted":          recordAborted,
		"retry-now":        recordRetryNow,
		"retry-now-signal": recordRetrySignal,
		"given-up":         recordGivenUp,
		"deferral-ended":   recordDeferralEnded,
		"redelivered":      recordRedelivered,
		"recovered":        recordRecovered,
		"approved":         recordApproved,
		"rejected":         recordRejected,
		"resumed-late":     recordResumedLate,
		"released-late":    recordReleasedLate,
		"changed-mind":     recordChangedMind,
		"held-deleted":     recordHeldDeleted,
		"paused-resumed":   recordPaused,
		"probe-failed":     recordProbeFailed,
		"unanswered":       recordUnanswered,
		"recovers-itself":  recordRecovers,
		"failing-is-asked": recordAsks,
		"parked":           recordParked,
		"circled":          recordCircled,
		"echo":             recordEcho,
	} {
		t.Run(name, func(t *testing.T) {
			mine := *p
			mine.Tenant = name
			e := run(t, app{&mine})
			c := p.dial(t)
			keep(t, c, e.WorkflowID, filepath.Join(histories, "Event", *record+"-"+name+".json"))
			for _, d := range e.Deliveries {
				if d.WorkflowID == "" {
					continue
				}
				keep(t, c, d.WorkflowID, filepath.Join(histories, "Delivery", *record+"-"+name+".json"))
				keepIf(t, c, workflows.RecoveryWorkflowID(name, d.EndpointID), filepath.Join(histories, "Recovery", *record+"-"+name+".json"))
				keepIf(t, c, workflows.ApprovalWorkflowID(name, d.EndpointID), filepath.Join(histories, "Approval", *record+"-"+name+".json"))
			}
		})
	}
}

func recordDelivered(t *testing.T, a app) event {
	a.listen(t, endpointtest.Config{}, "")
	a.listen(t, endpointtest.Config{}, "")
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

func recordNoEndpoint(t *testing.T, a app) event {
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

func recordRetried(t *testing.T, a app) event {
	a.listen(t, endpointtest.Config{Script: "503 drop 200"}, `,"schedule":["0s","50ms","17s"]`) // early, and not
	a.listen(t, endpointtest.Config{}, "")
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

func recordExhausted(t *testing.T, a app) event {
	a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s","50ms"]`)
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

func recordWaitsFirst(t *testing.T, a app) event {
	a.listen(t, endpointtest.Config{}, `,"schedule":["100ms"]`)
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

// recordDeferred lets six attempts in a row fail: the breaker opens at the fifth and defers.
func recordDeferred(t *testing.T, a app) event {
	a.listen(t, endpointtest.Config{Script: "500:5 200"}, `,"schedule":["0s","1ms","1ms","1ms","1ms","1ms"]`)
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

func recordDeleted(t *testing.T, a app) event {
	s, e := a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s","1s"]`)
	ev := a.post(t, `{"type":"contact.updated","data":{"id":1}}`)
	receipts(t, s, 1)
	a.call(t, http.StatusNoContent, http.MethodDelete, "/endpoints/"+e.ID, "", nil)
	return a.ended(t, ev.ID)
}

func recordCancelled(t *testing.T, a app) event {
	s, _ := a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s","1h"]`)
	ev := a.post(t, `{"type":"contact.updated","data":{"id":1}}`)
	receipts(t, s, 1)
	eventually(t, "the delivery waits", func() bool {
		d := a.event(t, ev.ID).Deliveries[0]
		return d.NextAttemptAt != nil
	})
	require.NoError(t, a.p.dial(t).CancelWorkflow(t.Context(), ev.WorkflowID, ""))
	return a.ended(t, ev.ID)
}

func recordWide(t *testing.T, a app) event {
	s := endpointtest.Start(t, endpointtest.Config{})
	for range workflows.FastLane + 2 {
		a.createEndpoint(t, `{"url":"`+s.URL+`"}`)
	}
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

// recordGone retries a delivery in vain, for its endpoint is held.
func recordGone(t *testing.T, a app) event {
	return recordOrder(t, a, "410 200", func(e endpoint, ev accepted) {
		a.approval(t, e.ID, webhook.ApprovalAwaiting)
		order := "/events/" + ev.ID + "/deliveries/" + e.ID
		a.call(t, http.StatusAccepted, http.MethodPost, order+"/retry-now", "", nil)
		a.delivery(t, ev.ID, "has looked", func(d webhook.DeliveryReport) bool { return strings.Contains(d.Reason, "the endpoint is held") })
		a.call(t, http.StatusAccepted, http.MethodPost, order+"/cancel", "", nil)
	})
}

func recordAborted(t *testing.T, a app) event {
	a.listen(t, endpointtest.Config{Script: "500", Header: http.Header{"Webhook-Delivery": {"abort-message"}}}, "")
	return a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
}

func recordRetryNow(t *testing.T, a app) event {
	return recordOrder(t, a, "503 200", func(e endpoint, ev accepted) {
		a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/retry-now", "", nil)
	})
}

func recordRetrySignal(t *testing.T, a app) event {
	return recordOrder(t, a, "503 200", func(e endpoint, ev accepted) {
		id, c := workflows.DeliveryWorkflowID(a.p.Tenant, ev.ID, e.ID), a.p.dial(t)
		require.NoError(t, c.SignalWorkflow(t.Context(), id, "", workflows.SignalCancel, "garbage"))
		require.NoError(t, c.SignalWorkflow(t.Context(), id, "", workflows.SignalRetryNow, nil))
	})
}

func recordGivenUp(t *testing.T, a app) event {
	return recordOrder(t, a, "503", func(e endpoint, ev accepted) {
		a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/cancel", `{"reason":"wrong customer"}`, nil)
	})
}

// recordOrder gives an order to a delivery that waits for its second attempt.
func recordOrder(t *testing.T, a app, script string, order func(endpoint, accepted)) event {
	t.Helper()
	_, e, ev := waitingDelivery(t, a, script)
	order(e, ev)
	return a.ended(t, ev.ID)
}

// recordDeferralEnded ends a deferral that Temporal repeats: twice in vain, then with effect.
func recordDeferralEnded(t *testing.T, a app) event {
	_, e := a.listen(t, endpointtest.Config{}, `,"rate_limit":{"per_second":0.01,"burst":1}`)
	a.post(t, `{"type":"contact.updated","data":{"id":1}}`)
	ev := a.post(t, `{"type":"contact.updated","data":{"id":2}}`)
	retry := "/events/" + ev.ID + "/deliveries/" + e.ID + "/retry-now"
	for range 2 {
		eventually(t, "it is deferred", func() bool { return a.event(t, ev.ID).Deliveries[0].NextAttemptAt != nil })
		a.call(t, http.StatusAccepted, http.MethodPost, retry, "", nil)
	}
	a.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+e.ID, `{"rate_limit":null}`, nil)
	a.call(t, http.StatusAccepted, http.MethodPost, retry, "", nil)
	return a.ended(t, ev.ID)
}

func recordRedelivered(t *testing.T, a app) event {
	s, _ := a.listen(t, endpointtest.Config{Script: "500 200"}, `,"schedule":["0s"]`)
	ev := a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/redeliver", "", nil)
	receipts(t, s, 2)
	eventually(t, "the redelivery ends", func() bool { ev = a.event(t, ev.ID); return ev.Status == "delivered" })
	return ev
}

func recordRecovered(t *testing.T, a app) event {
	s, e := a.listen(t, endpointtest.Config{Script: "500 200"}, `,"schedule":["0s"]`)
	ev := a.ended(t, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
	eventually(t, "it can be found", func() bool {
		_, body := a.try(t.Context(), http.MethodPost, "/endpoints/"+e.ID+"/recover", `{"since":"2026-01-01T00:00:00Z","dry_run":true}`, nil)
		var dry struct{ Found int }
		return json.Unmarshal(body, &dry) == nil && dry.Found == 1
	})
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/recover", `{"since":"2026-01-01T00:00:00Z"}`, nil)
	receipts(t, s, 2)
	eventually(t, "the redelivery ends", func() bool { ev = a.event(t, ev.ID); return ev.Status == "delivered" })
	return ev
}

// keep writes the history of the last run as the Temporal CLI would.
func keep(t *testing.T, c client.Client, workflowID, path string) {
	t.Helper()
	keepRun(t, c, workflowID, "", path)
}

func keepRun(t *testing.T, c client.Client, workflowID, run, path string) {
	t.Helper()
	var h historypb.History
	events := c.GetWorkflowHistory(t.Context(), workflowID, run, true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, e)
	}
	content, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&h)
	require.NoError(t, err)
	require.NoError(t, errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, content, 0o600)))
}

// keepIf keeps the history of a workflow if there was one, and it has ended.
func keepIf(t *testing.T, c client.Client, workflowID, path string) {
	t.Helper()
	if x, err := c.DescribeWorkflow(t.Context(), workflowID, ""); err == nil && x.WorkflowCloseTime != nil {
		keep(t, c, workflowID, path)
	}
}

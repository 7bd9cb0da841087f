package e2e

import (
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"

	"hookloop/internal/endpointtest"
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
	} {
		t.Run(name, func(t *testing.T) {
			mine := *p
			mine.Tenant = name
			e := run(t, app{&mine})
			c := p.dial(t)
			keep(t, c, e.WorkflowID, filepath.Join(histories, "Event", *record+"-"+name+".json"))
			for _, d := range e.Deliveries {
				if d.WorkflowID != "" {
					keep(t, c, d.WorkflowID, filepath.Join(histories, "Delivery", *record+"-"+name+".json"))
				}
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
	a.listen(t, endpointtest.Config{Script: "503 drop 200"}, `,"schedule":["0s","50ms","50ms"]`)
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

// keep writes a history as the Temporal CLI would.
func keep(t *testing.T, c client.Client, workflowID, path string) {
	t.Helper()
	var h historypb.History
	events := c.GetWorkflowHistory(t.Context(), workflowID, "", true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, e)
	}
	content, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&h)
	require.NoError(t, err)
	require.NoError(t, errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, content, 0o600)))
}

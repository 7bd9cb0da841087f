package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestSeveralWorkers lets three gateways and workers share one Temporal and one registry. Hundreds
// of deliveries that fail on all of them at once are one episode with a bounded number of signals;
// people are asked once, and one approval lets everything go, each once.
func TestSeveralWorkers(t *testing.T) {
	t.Parallel()
	const n = 240
	dir := t.TempDir()
	e := startEngine(t, dir, "127.0.0.1:0")
	all := []app{startService(t, dir, e), startService(t, dir, e), startService(t, dir, e)}
	a := all[0]
	broken, made := a.listen(t, endpointtest.Config{Script: "503"}, `,"schedule":["0s","1s","1s","24h"],"approval":{"after":"2s"}`)
	var ids []string
	for i := range n {
		ids = append(ids, all[i%len(all)].post(t, fmt.Sprintf(`{"type":"contact.updated","data":%d}`, i)).ID)
	}
	a.approval(t, made.ID, webhook.ApprovalAwaiting)
	for _, id := range ids {
		a.isHeld(t, id)
	}
	id := workflows.ApprovalWorkflowID(a.p.Tenant, made.ID)
	require.Less(t, historyLength(t, a.p, id), 100, "a bounded number of signals")
	episodes, err := a.p.dial(t).CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: "WorkflowType = 'Approval'"})
	require.NoError(t, err)
	require.EqualValues(t, 1, episodes.GetCount())
	for _, other := range all {
		require.Equal(t, webhook.EndpointHeld, other.endpointState(t, made.ID).State)
	}

	before := len(broken.Receipts())
	mended := endpointtest.Start(t, endpointtest.Config{})
	a.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+made.ID, `{"url":"`+mended.URL+`"}`, nil)
	all[1].call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+made.ID+"/approve", `{"rate_per_second":200}`, nil)
	all[2].approval(t, made.ID, webhook.ApprovalReleased)
	for _, id := range ids {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	require.Len(t, mended.Receipts(), n, "each once")
	require.Len(t, broken.Receipts(), before, "nothing while it was held")
}

package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"hookloop/internal/engine"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestRecordAnew keeps histories that end with a continue-as-new, and those that go on from there,
// of an engine that asks for it early.
func TestRecordAnew(t *testing.T) {
	if *record == "" {
		t.Skip("writes files; `make record` runs it")
	}
	dir := t.TempDir()
	e, err := engine.Start(t.Context(), engine.Config{
		Dir: dir, Listen: "127.0.0.1:0", SearchAttributes: workflows.SearchAttributes(), ContinueAsNewAfter: 60,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop() })
	a := startService(t, dir, e)
	c := a.p.dial(t)
	_, ep, ids := a.asked(t, "410:1", 2)
	approval := workflows.ApprovalWorkflowID(a.p.Tenant, ep.ID)
	delivery := workflows.DeliveryWorkflowID(a.p.Tenant, ids[0], ep.ID)

	runs := map[string][]string{
		"Approval": untilAnew(t, c, approval, workflows.SignalFailing, webhook.Failing{Answer: webhook.Answer{StatusCode: 503}}),
		"Delivery": untilAnew(t, c, delivery, workflows.SignalRecheck, webhook.Instruction{Reason: "the endpoint is held"}),
	}
	a.say(t, "/approve", "")(ep.ID)
	a.approval(t, ep.ID, webhook.ApprovalReleased)
	for _, id := range ids {
		a.ended(t, id)
	}
	for kind, id := range map[string]string{"Approval": approval, "Delivery": delivery} {
		for i, run := range runs[kind] {
			keepRun(t, c, id, run, filepath.Join(histories, kind, fmt.Sprintf("%s-anew-%d.json", *record, i+1)))
		}
	}
}

// untilAnew signals a workflow until it has gone on as a new run, and gives both runs.
func untilAnew(t *testing.T, c client.Client, workflowID, signal string, arg any) []string {
	t.Helper()
	run := func() string {
		x, err := c.DescribeWorkflowExecution(t.Context(), workflowID, "")
		require.NoError(t, err)
		return x.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	first := run()
	eventually(t, workflowID+" goes on as a new run", func() bool {
		require.NoError(t, c.SignalWorkflow(t.Context(), workflowID, "", signal, arg))
		return run() != first
	})
	return []string{first, run()}
}

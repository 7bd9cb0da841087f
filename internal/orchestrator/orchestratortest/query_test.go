package orchestratortest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/orchestrator/orchestratortest"
)

func TestQueries(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := orchestratortest.New()
	s.Put(
		&orchestratortest.Run{ID: "a", Type: "Event", Start: noon, Attributes: map[string]string{"Outcome": "held"}},
		&orchestratortest.Run{
			ID: "b", Type: "Delivery", Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
		},
	)
	for query, want := range map[string]string{
		"":                       "ba",
		"WorkflowType = 'Event'": "a",
		"WorkflowType IN ('Event', 'Delivery') AND ExecutionStatus = 'Running'": "a",
		"ExecutionStatus != 'Running' OR Outcome = 'held'":                      "ba",
		"(ExecutionStatus != 'Running' OR Outcome = 'held') AND Outcome != ''":  "a",
		"WorkflowId STARTS_WITH 'b'":                                            "b",
		"StartTime < '2026-01-01T12:30:00Z'":                                    "a",
		"CloseTime >= '2026-01-01T14:00:00Z'":                                   "b",
		"CloseTime < '2026-01-01T14:00:00Z'":                                    "",
		`Outcome = 'h\'eld'`:                                                    "",
	} {
		found, err := s.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err, query)
		ids := ""
		for _, x := range found.GetExecutions() {
			ids += x.GetExecution().GetWorkflowId()
		}
		require.Equal(t, want, ids, query)
	}
	for _, query := range []string{"nonsense", "Outcome LIKE 'x'", "Outcome = x", "(Outcome = 'x'", "Outcome = 'x' XOR Outcome = 'y'"} {
		_, err := s.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.Error(t, err, query)
	}
}
